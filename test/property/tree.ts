/** The simulated tree: a whole server of real decisions, an adversary that kills and holds, and then peace. */
import type { Deed, Scenario, Victim } from "./tree-adversary.js";
import { createBook } from "./tree-book.js";
import { type Brain, realBrain } from "./tree-brain.js";
import { type Audience, assertNone, type Complaint, findComplaint } from "./tree-check.js";
import { type Asked, callOnce, openWatcher } from "./tree-clients.js";
import { openDaemon } from "./tree-daemon.js";
import { createMachine, noticed, type Process } from "./tree-machine.js";
import { hold } from "./tree-promises.js";
import { makeDeploy, makeStart, type Tree } from "./tree-world.js";
import { pass } from "./world-clock.js";

/** Milliseconds: a look at whether there is rest, how long that has to last, and until when it has to come. */
const look = 500;
const lasting = 3_000;
const longest = 400_000;

/** Lives through the scenario, a peace, and a stop; throws when a promise is broken. `plant` makes the code under test. */
export function runTree(
  scenario: Scenario,
  plant: () => Brain = () => realBrain,
  tell: (line: string) => void = () => {},
): ReadonlySet<string> {
  if (!scenario.moves.some(({ deed }) => deed.type === "setClock")) return live(scenario, plant(), tell);
  // Where nobody sets the clock everything must happen just the same.
  const stories: [string[], string[]] = [[], []];
  const reached = live(scenario, plant(), tell, stories[0]);
  const moves = scenario.moves.map((each) =>
    each.deed.type === "setClock" ? { ...each, deed: { ...each.deed, by: 0 } } : each,
  );
  live({ ...scenario, moves }, plant(), () => {}, stories[1]);
  const index = stories[0].findIndex((line, at) => line !== stories[1][at]);
  hold(index < 0, "wall", () => `${stories[0][index]}, or else ${stories[1][index]}`);
  return reached;
}

function live(
  scenario: Scenario,
  brain: Brain,
  tell: (line: string) => void,
  story: string[] = [],
): ReadonlySet<string> {
  const tree = createTree(scenario, brain, tell, story);
  const { book, machine } = tree;
  const asked: Asked[] = [];
  const daemon = openDaemon(tree, machine.spawn("daemon", null));
  asked.push(callOnce(tree, { type: "start", start: makeStart(scenario) }, daemon));
  const audience: Audience = { watchers: [openWatcher(tree), openWatcher(tree)], asked };
  settle(tree, audience);
  for (const { wait, deed } of scenario.moves) {
    pass(machine.clock, machine.clock.now + wait);
    tell(`${machine.clock.now} ${JSON.stringify(deed)}`);
    act(tree, deed, asked);
    noteExtinction(tree);
  }
  makePeace(tree);
  settle(tree, audience);
  // All dead, at the adversary's hand or a client's wish.
  if (![...machine.processes].some(({ kind }) => kind !== "client")) return book.reached;
  book.isOver = true;
  asked.push(callOnce(tree, { type: "stop", stop: {} }));
  settle(tree, audience);
  return book.reached;
}

function createTree(scenario: Scenario, brain: Brain, tell: (line: string) => void, story: string[]): Tree {
  const machine = createMachine(scenario);
  let born = 0;
  return {
    scenario,
    machine,
    brain,
    book: createBook(machine),
    files: { lock: null, socket: null, state: null },
    failingHeirs: 0,
    wall: 0,
    find: (pid) => [...machine.processes].find((process) => process.pid === pid),
    nextNature() {
      const { boots, farewells } = scenario;
      born += 1;
      return {
        boot: boots[born % Math.max(1, boots.length)] ?? 20,
        farewell: farewells[born % Math.max(1, farewells.length)] ?? 20,
      };
    },
    tell({ kind, pid }, what) {
      const head = `${machine.clock.now} ${kind} ${pid}`;
      story.push(`${head} ${what.type}`);
      tell(`${head} ${JSON.stringify(what)}`);
    },
  };
}

/** Waits for a rest that lasts. */
function settle(tree: Tree, audience: Audience): void {
  const { clock } = tree.machine;
  const deadline = clock.now + longest;
  let since: number | undefined;
  let complaint: Complaint | undefined;
  while (since === undefined || clock.now - since < lasting) {
    complaint = findComplaint(tree, audience);
    if (complaint) since = undefined;
    else since ??= clock.now;
    if (clock.now > deadline) break;
    pass(clock, clock.now + look);
  }
  assertNone(complaint);
}

/** From now on nobody is hurt, and all may run. */
function makePeace(tree: Tree): void {
  const { machine } = tree;
  tree.failingHeirs = 0;
  for (const process of machine.processes) {
    process.fuse = null;
    if (process.held && process.kind !== "worker") tree.book.noteBlind(process.heldAt);
    machine.release(process);
  }
}

function list({ machine }: Tree, kind: Victim): Process[] {
  return [...machine.processes].filter((process) => process.kind === kind);
}

function act(tree: Tree, deed: Deed, asked: Asked[]): void {
  const { machine, book } = tree;
  const { clock } = machine;
  switch (deed.type) {
    case "kill":
      for (const victim of choose(tree, deed)) {
        if (deed.fuse === null) kill(tree, victim);
        else {
          victim.fuse = deed.fuse;
          victim.mourners.push(() => noteHurt(tree, victim));
        }
      }
      return;
    case "decimate": {
      const [, ...others] = rotate(list(tree, "worker"), deed.which);
      const supervisors = deed.supervisors ? [...list(tree, "daemon"), ...list(tree, "master")] : [];
      for (const victim of [...others, ...supervisors]) kill(tree, victim);
      return;
    }
    case "hold":
      for (const victim of choose(tree, deed)) holdFor(tree, victim, deed.how, deed.ms);
      return;
    case "freeze":
      for (const [index, victim] of [...machine.processes].entries())
        if (victim.kind !== "client")
          holdFor(tree, victim, "stopped", deed.ms + (deed.skews[index % deed.skews.length] ?? 0));
      return;
    case "sleep":
      clock.now += deed.ms;
      book.noteBlind(clock.now - deed.ms);
      if (deed.ms > noticed) machine.wokeAt = clock.now;
      return;
    case "setClock":
      tree.wall += deed.by;
      return;
    case "failHeirs":
      tree.failingHeirs = deed.count;
      return;
    case "deploy": {
      const id = `d${book.deploys.length + 1}`;
      book.deploys.push(id);
      const deploy = makeDeploy(id, deed.quality, deed.workerCount);
      return void asked.push(callOnce(tree, { type: "deploy", deploy }));
    }
    case "stop":
      return void asked.push(
        callOnce(tree, { type: "stop", stop: deed.timeout === null ? {} : { timeout: deed.timeout } }),
      );
    case "abort":
      return void asked.push(callOnce(tree, { type: "abortDeploy" }));
    case "status":
      return void asked.push(callOnce(tree, { type: "status", at: clock.now }));
    case "attach":
      return void asked.push(callOnce(tree, { type: "attachDeploy", id: book.deploys.at(-1) ?? "none" }));
    case "offline":
      book.hurtAt = clock.now;
      book.workers.find(({ isAccepting }) => isAccepting)?.sayOffline();
      return;
  }
}

function rotate<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

function choose(tree: Tree, { victims, which }: { victims: readonly Victim[]; which: number }): Process[] {
  return victims.flatMap((kind) => rotate(list(tree, kind), which).slice(0, 1));
}

function kill(tree: Tree, victim: Process): void {
  victim.mourners.push(() => noteHurt(tree, victim));
  tree.machine.kill(victim);
}

function noteHurt(tree: Tree, { kind }: Process): void {
  const { book, machine } = tree;
  book.reached.add(`a ${kind} is killed`);
  if (kind === "worker") book.hurtAt = machine.clock.now;
  noteExtinction(tree);
}

function holdFor(tree: Tree, victim: Process, how: "stopped" | "starved", ms: number): void {
  const { machine, book } = tree;
  machine.hold(victim, how);
  scheduleRelease(tree, victim, ms);
  if (victim.kind === "worker") book.hurtAt = machine.clock.now + ms;
}

function scheduleRelease(tree: Tree, victim: Process, ms: number): void {
  const { machine } = tree;
  const other = machine.spawn("client", null);
  machine.after(other, ms, () => {
    checkBounded(tree, victim);
    if (victim.held && victim.kind !== "worker") tree.book.noteBlind(victim.heldAt);
    machine.release(victim);
    machine.kill(other);
  });
}

/** Whether anybody is left who could go on, and bring the others back. */
function noteExtinction({ book, files }: Tree): void {
  const isGoingOn =
    book.workers.some(
      ({ process, terms, isAboutToLeave }) => process.alive && terms.quality !== "bad" && !isAboutToLeave,
    ) ||
    [...book.masters].some(({ process, isReplacing }) => process.alive && isReplacing) ||
    (files.socket?.process.alive ?? false);
  if (!isGoingOn) book.isExtinct = true;
}

/** Milliseconds: who looks after another one gets to know it first, and then has to give it up. */
const acquaintance = 2_500;
const bounded = 8_000;

/** One that has been stopped for long, while the other who looks after it could run, is no more. */
function checkBounded({ book, files, machine }: Tree, victim: Process): void {
  const { clock } = machine;
  const isLong = clock.now - victim.heldAt > bounded && victim.heldAt - victim.freeAt > acquaintance;
  if (!victim.alive || victim.held !== "stopped" || !isLong) return;
  const masters = [...book.masters].filter(
    ({ daemon, isReplacing }) => daemon?.process === victim && isReplacing,
  );
  const judge = files.socket?.master?.process === victim ? files.socket.process : masters[0]?.process;
  if (!judge?.alive || judge.held !== null || machine.wokeAt > victim.heldAt) return;
  const since = victim.heldAt - judge.freeAt;
  hold(
    since < acquaintance,
    "bounded",
    () => `${victim.kind} ${victim.pid} was stopped for ${clock.now - victim.heldAt} ms`,
  );
}
