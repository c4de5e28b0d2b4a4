/** A simulated daemon: the real machine and keeper, on files, clients and a master of the simulated tree. */
import { startActor } from "../../src/actors/actor.js";
import type { Keeper } from "../../src/actors/daemon/keeper.js";
import { emptyDaemon } from "../../src/actors/daemon/machine.js";
import type { Answer, Daemon, Effect, Message, Refusal } from "../../src/actors/daemon/state.js";
import { tick } from "../../src/actors/silence.js";
import type { DrainTimes, Keep, NaughtEvent, PoolEvent, Start } from "../../src/protocol/types.js";
import { startPulse } from "./tree-brain.js";
import type { Ending, Estate } from "./tree-heir.js";
import type { Connection, Process } from "./tree-machine.js";
import { type MasterProgram, openMaster } from "./tree-master.js";
import { hold } from "./tree-promises.js";
import type { WorkerTerms } from "./tree-worker.js";
import { readTime, type Tree } from "./tree-world.js";

export type Outcome = { readonly result: Answer } | { readonly refusal: Refusal };

/** What a client's connection is told. */
export interface Guest {
  readonly process: Process;
  event(event: NaughtEvent): void;
}

type Asked<M = Message> = M extends { readonly call: number; readonly client: number }
  ? Omit<M, "call" | "client">
  : never;

export interface DaemonProgram {
  readonly process: Process;
  readonly state: Daemon;
  readonly run: string;
  readonly master: MasterProgram | null;
  /** Returns the number of the client. */
  admit(guest: Guest, line: Connection): number;
  request(client: number, asked: Asked, answer: (outcome: Outcome) => void): void;
  lifeline(
    line: Connection,
    worker: Process,
    terms: WorkerTerms,
    /** `ordered` as soon as the daemon says that the worker is to go, `answered` when that has arrived. */
    told: { ordered(): void; answered(result: DrainTimes | "refused"): void },
  ): void;
  inherit(estate: Estate, answer: (ending: Ending) => void): void;
  // From the master.
  event(from: MasterProgram, event: PoolEvent): void;
  tell(from: MasterProgram, message: Message): void;
  beat(from: MasterProgram): void;
  sync(answer: () => void): void;
}

/** Milliseconds: until what was to be read or made is there, at the most; a dead worker's last words. */
const lag = 3;
const lastWords = 20;
const lockTries = 20;

export function openDaemon(
  tree: Tree,
  process: Process,
  birth?: { readonly parent: Process; readonly connection: Connection },
): DaemonProgram {
  const { machine, brain, book, files } = tree;
  const { clock } = machine;
  const guests = new Map<number, Guest>();
  /** Nothing that a dead one has said is taken for the next one's word. */
  const gone = new Set<MasterProgram>();
  const answers = new Map<number, (outcome: Outcome) => void>();
  let calls = 0;
  let clients = 0;
  let run = `run ${process.pid}`;
  let token = `token ${process.pid}`;
  let master: { readonly program: MasterProgram; readonly line: Connection; heard(): void } | null = null;
  let isPublished = false;
  let isHosting = birth === undefined;
  let turnDue = 0;
  let waiting = 0;
  let state: Daemon = emptyDaemon;

  const keeper: Keeper = brain.createKeeper(
    (keep: Keep) => {
      const to = master;
      to?.line.send(process, () => to.program.keep(keep));
    },
    (parts) => {
      if (isPublished && machine.enter(process)) files.state = JSON.stringify(parts);
    },
    {
      soon: (later) => void machine.after(process, 0, later),
      later(ms, later) {
        const due = machine.after(process, ms, later);
        return () => {
          due.cancelled = true;
        };
      },
    },
  );
  const post = startActor<Daemon, Message, Effect>({
    state: emptyDaemon,
    step(before, message) {
      tree.tell(process, message);
      const turn = brain.daemonStep(before, message, readTime(tree), clock.now);
      state = turn.state;
      keeper.follow(state);
      return turn;
    },
    perform,
    crash(error) {
      throw error;
    },
  });

  /** In order, also where something has to be waited for. */
  function postInTurn(message: Message, wait = 0): void {
    if (wait === 0 && waiting === 0) return post(message);
    turnDue = Math.max(turnDue, clock.now + wait);
    waiting += 1;
    machine.after(process, turnDue - clock.now, () => {
      waiting -= 1;
      post(message);
    });
  }

  function perform(effect: Effect): void {
    switch (effect.type) {
      case "open":
        return void machine.after(process, lag, () => open(effect.start));
      case "resolve":
        return void machine.after(process, lag, () => {
          const { script } = effect.launch;
          const launch = { ...effect.launch, realScript: script, realCwd: "/" };
          post({ type: "resolved", call: effect.call, launch });
        });
      case "startMaster":
        return startMaster(effect);
      case "askMaster": {
        const to = master;
        const { call, ask } = effect;
        if (!to) return post({ type: "masterRefused", call, refusal: { error: "MasterLost" } });
        return to.line.send(process, () => to.program.ask(program, to.line, call, ask));
      }
      case "reply":
        return answer(effect.call, { result: effect.result });
      case "refuse":
        return answer(effect.call, { refusal: effect.refusal });
      case "event":
        return sendEvents(effect.clients, [effect.event]);
      case "replay":
        return sendEvents([effect.client], effect.events);
      case "watchProcess":
        return watch(effect.pid);
      case "killProcess": {
        const victim = tree.find(effect.pid);
        if (victim && machine.enter(process)) machine.kill(victim);
        return;
      }
      case "later":
        return void machine.after(process, effect.seconds * 1000, () => post(effect.message));
      case "close":
        return void machine.after(process, lag, close);
      case "end":
        return void machine.after(process, lag, () => machine.kill(process));
    }
  }

  function answer(call: number, outcome: Outcome): void {
    if (call <= 0) return;
    const answered = answers.get(call);
    hold(answered !== undefined, "once", () => `call ${call} of daemon ${process.pid}`);
    answers.delete(call);
    answered(outcome);
  }

  function sendEvents(to: readonly number[], events: readonly NaughtEvent[]): void {
    for (const client of to) {
      const guest = guests.get(client);
      for (const event of events) guest?.event(event);
    }
  }

  function watch(pid: number): void {
    const gone = () => machine.after(process, 100, () => post({ type: "strayGone", pid }));
    const watched = tree.find(pid);
    if (watched) watched.mourners.push(gone);
    else gone();
  }

  function open(start: Start): void {
    if (!takeLock()) return post({ type: "openFailed", refusal: { error: "AlreadyRunning" } });
    publish();
    post({ type: "opened", launch: { ...start.launch, realScript: start.launch.script, realCwd: "/" } });
  }

  function takeLock(): boolean {
    if (files.lock?.alive || !machine.enter(process)) return false;
    files.lock = process;
    return true;
  }

  function publish(): void {
    if (!machine.enter(process)) return;
    files.socket = program;
    isPublished = true;
  }

  function close(): void {
    if (!machine.enter(process)) return;
    if (files.socket === program) {
      files.socket = null;
      files.state = null;
    }
    if (files.lock === process) files.lock = null;
    post({ type: "closed" });
  }

  function startMaster({ call, start, master: number }: Extract<Effect, { type: "startMaster" }>): void {
    const child = machine.spawn("master", process);
    const line = machine.connect(process, child);
    const opened = openMaster(tree, child, { line, daemon: program });
    lookAfter(opened, line);
    rememberSelf();
    keeper.tellAll();
    line.send(process, () => opened.start(program, line, call, start, { number, token }));
  }

  /** A master of this daemon's own, or one that has started it. */
  function lookAfter(watched: MasterProgram, line: Connection): void {
    const other = watched.process;
    const isOwn = other.parent === process;
    let isGone = false;
    const leave = (how: string): void => {
      if (isGone) return;
      isGone = true;
      pulse.stop();
      look?.stop();
      // One without a channel is of no use.
      if (!isOwn && other.alive && machine.enter(process)) machine.kill(other);
      if (master?.program === watched) master = null;
      gone.add(watched);
      postInTurn({ type: "masterExited", how });
    };
    const pulse = startPulse(machine, brain, {
      process,
      other,
      beat: () => line.send(process, () => watched.beat()),
      isStopped: () => other.held === "stopped",
      silent() {
        book.noteGivenUp(process, other);
        if (machine.enter(process)) machine.kill(other);
        return true;
      },
    });
    const isDead = brain.watchDeath(() => other.alive);
    const look = isOwn ? null : machine.every(process, tick, () => isDead() && leave("died"));
    line.onClose(process, () => leave("was killed by SIGKILL"));
    line.carry(process);
    master = { program: watched, line, heard: pulse.heard };
  }

  function rememberSelf(): void {
    keeper.set("identity", { run, token, master: master?.program.process.pid ?? 0 });
  }

  function inherit(estate: Estate, done: (ending: Ending) => void, tries = 0): void {
    const reply = (ending: Ending): void => birth?.connection.send(process, () => done(ending));
    if (!takeLock()) {
      if (tries === lockTries) return reply("rival");
      return void machine.after(process, 50, () => inherit(estate, done, tries + 1));
    }
    if (isSuperseded(estate)) {
      files.lock = null;
      return reply("rival");
    }
    const identity = JSON.parse(estate.parts.identity ?? "{}") as { run?: string; token?: string };
    token = identity.token ?? token;
    if (estate.master !== null) run = identity.run ?? run;
    machine.after(process, lag, () => {
      if (estate.master && birth) lookAfter(estate.master, birth.connection);
      rememberSelf();
      const { parts, events } = estate;
      post({ type: "inherited", parts, events, hasMaster: estate.master !== null });
      machine.after(process, lag, () => {
        publish();
        keeper.tellAll();
        isHosting = true;
        reply("there");
      });
    });
  }

  /** As `isSuperseded` of src/actors/remains.ts. */
  function isSuperseded({ parts, master: own }: Estate): boolean {
    const { identity } = JSON.parse(files.state ?? "{}") as Estate["parts"];
    if (!own && identity !== parts.identity) return true;
    const { master: pid = 0 } = JSON.parse(identity ?? "{}") as { master?: number };
    const other = pid === own?.process.pid ? undefined : tree.find(pid);
    return other?.alive === true && other.held !== "stopped";
  }

  function request(client: number, asked: Asked, answered: (outcome: Outcome) => void): void {
    calls += 1;
    answers.set(calls, answered);
    post({ ...asked, call: calls, client } as Message);
  }

  function admit(guest: Guest, line: Connection): number {
    clients += 1;
    const client = clients;
    guests.set(client, guest);
    line.onClose(process, () => {
      guests.delete(client);
      post({ type: "clientGone", client });
    });
    return client;
  }

  const program: DaemonProgram = {
    process,
    get state() {
      return state;
    },
    get run() {
      return run;
    },
    get master() {
      return master?.program ?? null;
    },
    admit,
    request,
    lifeline(line, worker, terms, { ordered, answered }) {
      const reply = (result: DrainTimes | "refused"): void => line.send(process, () => answered(result));
      if (terms.token !== token) return reply("refused");
      const client = admit({ process: worker, event() {} }, line);
      request(client, { type: "lifeline", worker: terms.worker, master: terms.master }, (outcome) => {
        if (!("result" in outcome)) return reply("refused");
        ordered();
        reply(outcome.result as DrainTimes);
      });
    },
    inherit,
    event(from, event) {
      if (gone.has(from)) return;
      const isDeath = event.death !== undefined && event.worker?.pid !== 0;
      postInTurn({ type: "masterEvent", event }, isDeath ? lastWords : 0);
    },
    tell(from, message) {
      if (!gone.has(from)) postInTurn(message);
    },
    beat: (from) => gone.has(from) || master?.heard(),
    sync(answered) {
      const to = master;
      to?.line.send(process, answered);
    },
  };
  // One that has not come to inherit.
  birth?.connection.onClose(process, () => isHosting || machine.kill(process));
  return program;
}
