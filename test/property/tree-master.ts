/** A simulated master: the real pool, succession and memory, on workers and daemons of the simulated tree. */
import { startActor } from "../../src/actors/actor.js";
import type { Answer, Effect as DaemonEffect, MasterAsk } from "../../src/actors/daemon/state.js";
import { createNews } from "../../src/actors/master/news.js";
import { emptyPool } from "../../src/actors/master/pool/pool.js";
import type { Effect, Message, Pool, PoolWorker, Result, Timer } from "../../src/actors/master/pool/state.js";
import { describePool } from "../../src/actors/master/pool/status.js";
import { type Fact, firstSuccession, type Effect as LinkEffect } from "../../src/actors/master/succession.js";
import type { ErrorName } from "../../src/protocol/errors.js";
import type { DrainTimes, Keep, PoolEvent, Status, WorkerRef } from "../../src/protocol/types.js";
import { startPulse } from "./tree-brain.js";
import type { DaemonProgram } from "./tree-daemon.js";
import { startHeir } from "./tree-heir.js";
import type { Connection, Process } from "./tree-machine.js";
import { openWorker, type WorkerProgram } from "./tree-worker.js";
import { readQuality, type Tree } from "./tree-world.js";
import type { Due } from "./world-clock.js";

type Start = Extract<DaemonEffect, { type: "startMaster" }>["start"];

export interface MasterProgram {
  readonly process: Process;
  readonly pool: Pool;
  readonly daemon: DaemonProgram | null;
  /** Whether a daemon that dies is followed by another one. */
  readonly isReplacing: boolean;
  // From a daemon, which is answered on the same line.
  start(from: DaemonProgram, line: Connection, call: number, start: Start, terms: Terms): void;
  ask(from: DaemonProgram, line: Connection, call: number, ask: MasterAsk): void;
  keep(keep: Keep): void;
  beat(): void;
  // From a worker.
  online(worker: number): void;
  offline(worker: number): void;
}

interface Terms {
  readonly number: number;
  readonly token: string;
}

interface Handle {
  readonly program: WorkerProgram;
  readonly line: Connection;
}

/** A daemon that is followed, whether or not it is there yet. */
interface Followed {
  readonly program: DaemonProgram;
  readonly line: Connection;
  heard(): void;
}

/** Milliseconds. */
const servePatience = 5000;
const syncPatience = 10_000;
/** Seconds. */
const orphanPatience = 5;

export function openMaster(
  tree: Tree,
  process: Process,
  first: { readonly line: Connection; readonly daemon: DaemonProgram },
): MasterProgram {
  const { machine, brain, book } = tree;
  const { clock } = machine;
  const memory = brain.createMemory();
  const handles = new Map<number, Handle>();
  const pids = new Map<number, number>();
  const timers = new Map<string, Due>();
  const answers = new Map<number, (outcome: Result | ErrorName) => void>();
  const found: (() => void)[] = [];
  let terms: Terms | null = null;
  let times: DrainTimes = { grace: 0, timeout: 0 };
  let calls = 0;
  let isThrough = false;
  let pool: Pool = emptyPool;
  let succession = firstSuccession;
  let daemon: Followed | null = null;
  /** What waits until those that have taken over accept; null when they do. */
  let accepting: (() => void)[] | null = null;

  const news = createNews(
    (change) => toDaemon((to) => to.tell(program, { type: "masterChanged", change, at: clock.now })),
    ({ id }) => pids.has(id),
  );
  const post = startActor<Pool, Message, Effect | { readonly type: "tellNews" }>({
    state: emptyPool,
    step(before, message) {
      tree.tell(process, message);
      const turn = brain.poolStep(before, message, clock.now);
      pool = turn.pool;
      const { now } = clock;
      news.follow(() => nameAll(describePool(turn.pool, now)) as Status);
      return { state: turn.pool, effects: [...turn.effects, { type: "tellNews" }] };
    },
    perform,
    crash(error) {
      throw error;
    },
  });
  const isReplaceable = (): boolean => terms !== null && !isThrough && memory.recall() !== null;

  function follow(to: DaemonProgram, line: Connection): Followed {
    const isGone = brain.watchDeath(() => to.process.alive);
    let isLost = false;
    const lose = (): void => {
      if (isLost) return;
      isLost = true;
      pulse.stop();
      if (isReplaceable() && to.process.alive && machine.enter(process)) machine.kill(to.process);
      line.close(process);
      if (daemon !== followed) return;
      daemon = null;
      note({ type: "lost", isReplaceable: isReplaceable() });
    };
    const pulse = startPulse(machine, brain, {
      process,
      other: to.process,
      beat() {
        line.send(process, () => to.beat(program));
        if (isGone()) lose();
      },
      isStopped: () => isReplaceable() && to.process.held === "stopped",
      silent() {
        if (!isReplaceable()) return false;
        book.noteGivenUp(process, to.process);
        lose();
        return true;
      },
    });
    const followed: Followed = { program: to, line, heard: pulse.heard };
    line.onClose(process, lose);
    return followed;
  }

  function note(fact: Fact): void {
    const { state, effects } = brain.succeed(succession, fact);
    succession = state;
    for (const effect of effects) link(effect);
  }

  function toDaemon(run: (to: DaemonProgram) => void): void {
    const to = daemon;
    to?.line.send(process, () => run(to.program));
  }

  function link(effect: LinkEffect): void {
    switch (effect.type) {
      case "event":
        return toDaemon((to) => to.event(program, effect.event));
      case "serving":
        return toDaemon((to) => to.tell(program, { type: "masterServing", serving: effect.serving }));
      case "revive":
        return void machine.after(process, effect.pause, revive);
      case "introduce":
        news.tellAll();
        for (const tell of found.splice(0)) tell();
        return;
      case "orphaned":
        for (const tell of found.splice(0)) tell();
        return leave();
    }
  }

  function revive(): void {
    const heritage = memory.recall();
    const fail = (isRival = false): void => note({ type: "failed", isReplaceable: isReplaceable(), isRival });
    if (!heritage) return fail();
    let heir: Followed | null = null;
    const started = startHeir(tree, process, { ...heritage, master: program }, (ending) => {
      if (ending !== "there" || !heir) return fail(ending === "rival");
      daemon = heir;
      note({ type: "found" });
    });
    started?.connection.carry(process);
    if (started) heir = follow(started.program, started.connection);
  }

  function leave(): void {
    const timeout = times.grace + times.timeout + orphanPatience;
    post({ type: "stop", call: nextCall(() => {}), timeout });
  }

  function nextCall(answer: (outcome: Result | ErrorName) => void): number {
    calls += 1;
    answers.set(calls, answer);
    return calls;
  }

  function perform(effect: Effect | { readonly type: "tellNews" }): void {
    switch (effect.type) {
      case "tellNews":
        return news.tell();
      case "fork":
        return fork(effect);
      case "shutdown":
        return whenAccepting(() => {
          const to = handles.get(effect.worker);
          const told = () => post({ type: "told", worker: effect.worker });
          to?.line.send(process, () => to.program.shutdown(effect.times, told));
          if (process.alive) to?.program.expectShutdown();
        });
      case "kill": {
        const victim = handles.get(effect.worker);
        if (victim && machine.enter(process)) machine.kill(victim.program.process);
        return;
      }
      case "emit": {
        const { event, worker } = effect;
        news.tell();
        const told: PoolEvent = worker ? { ...event, worker: nameWorker(worker) } : event;
        return note({ type: "event", event: told, isReplaceable: isReplaceable() });
      }
      case "reply":
        answers.get(effect.call)?.(effect.result);
        return void answers.delete(effect.call);
      case "refuse":
        answers.get(effect.call)?.(effect.error);
        return void answers.delete(effect.call);
      case "setTimer":
        return setTimer(effect.timer, effect.seconds);
      case "clearTimer":
        return clearTimer(effect.timer);
      case "serving": {
        const { number: generation, workerCount, launch } = effect.generation;
        serve(generation);
        const deploy = effect.deploy === "" ? {} : { deploy: effect.deploy };
        return note({ type: "serving", serving: { generation, workerCount, launch, ...deploy } });
      }
      case "end":
        return end();
    }
  }

  function whenAccepting(run: () => void): void {
    if (accepting) accepting.push(run);
    else machine.after(process, 0, run);
  }

  function serve(generation: number): void {
    const coming = [...handles.values()].filter(
      ({
        program: {
          terms: { worker },
        },
      }) => worker.generation === generation,
    );
    const waiting: (() => void)[] = accepting ?? [];
    accepting = waiting;
    let left = coming.length;
    const go = (): void => {
      if (accepting !== waiting) return;
      accepting = null;
      for (const run of waiting) run();
    };
    const count = (): void => {
      left -= 1;
      if (left === 0) go();
    };
    for (const { line, program: worker } of coming) {
      let isCounted = false;
      const once = (): void => {
        if (!isCounted) count();
        isCounted = true;
      };
      line.send(process, () => worker.serve(once));
      if (process.alive) worker.expectServe();
      line.onClose(process, once);
    }
    if (left === 0) go();
    machine.after(process, servePatience, go);
  }

  function fork({ worker, launch }: Extract<Effect, { type: "fork" }>): void {
    if (!terms) throw new Error("a worker was to be forked before the start");
    const { id, slot, generation } = worker;
    const child = machine.spawn("worker", process);
    const line = machine.connect(process, child);
    line.carry(process);
    const ref: WorkerRef = { id, slot, generation, pid: child.pid };
    const { phase } = pool;
    const isWithheld =
      phase.name === "rollout" && phase.stage === "booting" && phase.coming.number === generation;
    const opened = openWorker(
      tree,
      child,
      { connection: line, master: program },
      {
        worker: ref,
        quality: readQuality(launch),
        isWithheld,
        master: terms.number,
        token: terms.token,
        times,
      },
    );
    book.noteBorn(opened, program);
    handles.set(id, { program: opened, line });
    pids.set(id, child.pid);
    line.onClose(process, () => {
      post({ type: "exit", worker: id, how: "was killed by SIGKILL" });
      handles.delete(id);
    });
  }

  function nameWorker({ id, slot, generation }: PoolWorker): WorkerRef {
    return { id, slot, generation, pid: pids.get(id) ?? 0 };
  }

  function setTimer(timer: Timer, seconds: number): void {
    clearTimer(timer);
    timers.set(
      JSON.stringify(timer),
      machine.after(process, seconds * 1000, () => post({ type: "timer", timer })),
    );
  }

  function clearTimer(timer: Timer): void {
    const due = timers.get(JSON.stringify(timer));
    if (due) due.cancelled = true;
  }

  function end(): void {
    for (const due of timers.values()) due.cancelled = true;
    const exit = (): void => {
      isThrough = true;
      machine.after(process, 0, () => machine.kill(process));
    };
    const sync = (): void => {
      if (succession.isOrphan) return exit();
      if (!daemon) return void found.push(sync);
      const { program: to, line } = daemon;
      line.onClose(process, sync);
      line.send(process, () => to.sync(exit));
    };
    sync();
    machine.after(process, syncPatience, exit);
  }

  const program: MasterProgram = {
    process,
    get pool() {
      return pool;
    },
    get daemon() {
      return daemon?.program ?? null;
    },
    get isReplacing() {
      return isReplaceable() && !succession.isOrphan;
    },
    start(from, line, call, start, own) {
      terms = own;
      times = start.drain;
      const answer = answerTo(from, line, call);
      post({ ...start, type: "start", call: nextCall(answer) });
    },
    ask(from, line, call, { method, params }) {
      const id = nextCall(answerTo(from, line, call));
      switch (method) {
        case "status":
          return post({ type: "status", call: id });
        case "deploy":
          book.begun.push(params.id);
          return post({ timeout: null, ...params, type: "deploy", call: id });
        case "attachDeploy":
          return post({ type: "attachDeploy", call: id, id: params.deploy });
        case "abortDeploy":
          return post({
            type: "abortDeploy",
            call: id,
            ...(params.deploy === undefined ? {} : { id: params.deploy }),
          });
        case "stop":
          return post({ timeout: null, ...params, type: "stop", call: id });
      }
    },
    keep(keep) {
      memory.keep(keep);
      if (keep.heard !== undefined) note({ type: "heard", count: keep.heard });
    },
    beat: () => daemon?.heard(),
    online: (worker) => post({ type: "online", worker }),
    offline: (worker) => post({ type: "offline", worker }),
  };

  function answerTo(
    from: DaemonProgram,
    line: Connection,
    call: number,
  ): (outcome: Result | ErrorName) => void {
    return (outcome) => {
      const message =
        typeof outcome === "string"
          ? ({ type: "masterRefused", call, refusal: { error: outcome } } as const)
          : ({ type: "masterAnswered", call, result: nameAll(outcome) as Answer } as const);
      line.send(process, () => from.tell(program, message));
    };
  }

  function nameAll(result: Result): object {
    if (!("workers" in result)) return result;
    const workers = result.workers.map((each) => ({ ...each, pid: pids.get(each.id) ?? 0 }));
    return { ...result, workers, delays: result.delays.map((delay) => ({ ...delay, seconds: 0 })) };
  }

  daemon = follow(first.daemon, first.line);
  return program;
}
