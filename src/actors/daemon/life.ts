/** The daemon's life: opening its files, its first master and the next ones, what it inherits. */
import type { ResolvedLaunch, Status } from "../../protocol/types.js";
import { rememberSettled } from "./deploys.js";
import { completeStatus } from "./report.js";
import { type Daemon, type Message, ownCall, type Refusal } from "./state.js";
import { close, finishStop, listenForUnknown, resumeStop, stopped, waitForStrays } from "./stop.js";
import {
  callStraysBack,
  killStrays,
  limitStray,
  retireStrays,
  retireUnneeded,
  sayStrays,
  strandWorkers,
} from "./strays.js";
import { addStrays, announceOwn, log, noCounts, refuse, reply, type Turn, update } from "./turn.js";

/** Seconds: the first new master comes at once, later ones after a delay that doubles between these. */
const firstDelay = 0.5;
const longestDelay = 60;
const steadyAfter = 60;

type Request<T extends Message["type"]> = Extract<Message, { type: T }>;

export function openFiles(turn: Turn, { call, client, start }: Request<"start">): void {
  const { life, start: earlier } = turn.state;
  // A stop was faster, and there will never be a server here.
  if (life === "gone" && !earlier) return reply(turn, call, stopped);
  if (life !== "empty") return refuse(turn, call, { error: "AlreadyRunning" });
  update(turn, { life: "opening", start, startCall: { call, client } });
  turn.effects.push({ type: "open", start });
}

export function runFirstMaster(turn: Turn, launch: ResolvedLaunch): void {
  const { start, startCall, stoppers } = turn.state;
  if (!start || !startCall) return;
  if (stoppers.length > 0) return close(turn);
  const forwarded = new Map(turn.state.forwarded).set(startCall.call, {
    client: startCall.client,
    kind: "start",
    deploy: "",
  } as const);
  update(turn, { life: "running", forwarded });
  startMaster(turn, startCall.call, { launch, workerCount: start.workerCount, generation: 1 }, false);
}

/** Goes on where another daemon has ended. */
export function inherit(turn: Turn, state: Daemon, hasMaster: boolean): void {
  update(turn, { ...state, master: hasMaster ? "alive" : "none" });
  const dead = hasMaster ? "the daemon process" : "the daemon and the master process";
  log(turn, `${dead} died; a new daemon has taken over`);
  if (!hasMaster) {
    update(turn, { counts: noCounts, isWhole: false });
    callStraysBack(turn);
    strandWorkers(turn);
  }
  announceOwn(turn, { name: "Recovered" });
  for (const { worker, killed } of state.strays.values()) {
    turn.effects.push({ type: "watchProcess", pid: worker.pid, worker });
    // The daemon may have died before it came to that.
    if (killed) turn.effects.push({ type: "killProcess", pid: worker.pid });
    const told = turn.state.strays.get(worker.pid)?.told;
    if (told) limitStray(turn, worker.pid, told);
  }
  if (turn.state.life === "stopping") return resumeStop(turn);
  if (!hasMaster) reviveMaster(turn);
}

/** The start could not even begin: there is nothing to close. */
export function endStart(turn: Turn, refusal: Refusal): void {
  const { startCall, stoppers } = turn.state;
  update(turn, { life: "gone", stoppers: [] });
  if (startCall) refuse(turn, startCall.call, refusal);
  for (const { call } of stoppers) reply(turn, call, {});
  turn.effects.push({ type: "end", exitCode: 1 });
}

function startMaster(
  turn: Turn,
  call: number,
  { launch, workerCount, generation }: { launch: ResolvedLaunch; workerCount: number; generation: number },
  resume: boolean,
): void {
  const { start } = turn.state;
  if (!start) return;
  const { logs, drain } = start;
  const output = { stdout: logs.stdout !== "/dev/null", stderr: logs.stderr !== "/dev/null" };
  const { masters, lastWorker, lastGeneration } = turn.state;
  const master = masters + 1;
  update(turn, { master: "alive", masters: master, heard: 0, newestWorker: 0, isWhole: false });
  const numbers = resume
    ? { nextWorker: lastWorker + 1, nextGeneration: Math.max(lastGeneration, generation) + 1 }
    : {};
  turn.effects.push({
    type: "startMaster",
    call,
    master,
    start: { launch, workerCount, generation, drain, resume, output, ...numbers },
  });
}

export function loseMaster(turn: Turn, how: string): void {
  const { life, serving, startCall, forwarded, isWhole, pool } = turn.state;
  update(turn, { master: "none", pool: null, isWhole: false, forwarded: new Map(), counts: noCounts });
  const stranded = strandWorkers(turn);
  // One that has not told yet how things stand may have let a release take over.
  if (pool) retireUnneeded(turn, stranded);
  const counts = addStrays(noCounts, turn.state);
  const reason = `the master process ${how}`;
  const failed = { reason: life === "stopping" ? "the server was stopped" : reason };
  for (const [call, { kind, deploy }] of forwarded) {
    if (kind === "status") reply(turn, call, completeStatus(turn, describeMasterless(turn.state)));
    else if (kind !== "start") {
      // One whose workers had taken over before has done what it was for: strays are seen off by the daemon.
      const done = { deploy, outcome: "done", counts, killed: 0 } as const;
      const result =
        serving?.deploy !== undefined && serving.deploy === deploy
          ? done
          : ({ ...done, outcome: "failed", failed } as const);
      // Whoever aborts any deploy need not know its id, and whoever attaches may name none.
      if (kind === "deploy") rememberSettled(turn, result);
      reply(turn, call, result);
    }
  }
  if (life === "stopping") {
    if (mayHaveForked(how)) listenForUnknown(turn);
    if (turn.state.startFailure) killStrays(turn);
    else retireStrays(turn, turn.state.stopDrain);
    waitForStrays(turn);
    return finishStop(turn);
  }
  if (life !== "running") return;
  if (startCall || !serving) {
    update(turn, { life: "stopping", startFailure: { refusal: { error: "MasterLost", message: reason } } });
    if (mayHaveForked(how)) listenForUnknown(turn);
    killStrays(turn);
    return finishStop(turn);
  }
  // One that had all its workers online was not what is wrong.
  const deaths = Math.min(turn.state.masterDeaths, isWhole ? 1 : Number.POSITIVE_INFINITY) + 1;
  update(turn, { masterDeaths: deaths });
  const seconds = deaths === 1 ? 0 : Math.min(longestDelay, firstDelay * 2 ** (deaths - 2));
  log(turn, `${reason}; a new one starts ${seconds === 0 ? "now" : `in ${seconds} s`}`);
  sayStrays(turn);
  turn.effects.push({ type: "later", seconds, message: { type: "reviveMaster" } });
}

/** Unless it has ended by itself, with no worker left, or never was. */
function mayHaveForked(how: string): boolean {
  return how !== "exited with code 0" && !how.startsWith("could not be started");
}

export function reviveMaster(turn: Turn): void {
  const { life, master, serving, masterDeaths } = turn.state;
  if (life !== "running" || master !== "none" || !serving) return;
  startMaster(turn, ownCall, serving, true);
  turn.effects.push({
    type: "later",
    seconds: steadyAfter,
    message: { type: "masterSteady", deaths: masterDeaths },
  });
}

/** The status while no master is there to ask: before the first one, between two, after the last one. */
export function describeMasterless({ life, strays }: Daemon): Status {
  const none = { counts: noCounts, workers: [] };
  if (life !== "opening" && life !== "running") return { ...none, phase: "stopping", waitingFor: "shutdown" };
  const isServed = [...strays.values()].some(({ status }) => status === "online");
  return isServed
    ? { ...none, phase: "online", waitingFor: null }
    : { ...none, phase: "booting", waitingFor: "new" };
}
