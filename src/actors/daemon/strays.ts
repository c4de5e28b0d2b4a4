/**
 * Strays: workers whose master has died. They serve until the next master's workers are online, then they are told to go,
 * each over its own connection to the daemon, and they are killed where a time for that was set. Pure.
 */
import type { DrainChanges, DrainTimes, WorkerInfo, WorkerRef, WorkerStatus } from "../../protocol/types.js";
import { wasToldGone } from "./known-workers.js";
import { answerLifelines, endLifelines } from "./lifelines.js";
import type { ClientId, Daemon, Message, Stray } from "./state.js";
import { announceOwn, log, type Turn, update } from "./turn.js";

/** Seconds that a worker has which nobody needs, or whom nobody can reach, beyond the time that its drain may take. */
const patience = 5;
/** Seconds in which a master tells of a worker whose lifeline is here already. */
const lookEvery = 2.5;

type Request<T extends Message["type"]> = Extract<Message, { type: T }>;

/** The master is gone: whoever it has left behind is a stray. Returns their process ids. */
export function strandWorkers(turn: Turn): ReadonlySet<number> {
  const { workers, lifelines, strays: earlier } = turn.state;
  update(turn, { workers: new Map() });
  for (const { worker, status } of workers.values())
    if (worker.pid > 0) addStray(turn, worker, status === "new_online" ? "online" : status);
  // Of those that it had forked as it died it has told nothing.
  for (const { worker, call } of lifelines.values())
    if (call !== null && !turn.state.strays.has(worker.pid)) addStray(turn, worker, "online");
  return new Set([...turn.state.strays.keys()].filter((pid) => !earlier.has(pid)));
}

/** Those for whom they were to go are dead. One that has not heard of it yet may be the last one to serve. */
export function callStraysBack(turn: Turn): void {
  const callBack = (stray: Stray): Stray => (stray.killed ? stray : { ...stray, told: null });
  update(turn, { strays: new Map([...turn.state.strays].map(([pid, stray]) => [pid, callBack(stray)])) });
}

function addStray(turn: Turn, worker: WorkerRef, status: WorkerStatus): void {
  const stray: Stray = { worker, status, since: turn.time, told: null, killed: false };
  update(turn, {
    strays: new Map(turn.state.strays).set(worker.pid, stray),
    lastWorker: Math.max(turn.state.lastWorker, worker.id),
    lastGeneration: Math.max(turn.state.lastGeneration, worker.generation),
  });
  turn.effects.push({ type: "watchProcess", pid: worker.pid, worker });
}

/**
 * Those that are leaving already, or belong to a release that has not taken over. `stranded`: by a master of which all was
 * heard that it has told; a release of another one may have taken over though it seems not to have. One that still boots to
 * replace another may be the only one to serve soon, or since a moment ago.
 */
export function retireUnneeded(turn: Turn, stranded: ReadonlySet<number>): void {
  const { serving, strays } = turn.state;
  for (const [pid, stray] of strays) {
    const isNeeded = stray.status !== "dying" && stray.worker.generation <= (serving?.generation ?? 0);
    if (stranded.has(pid) && !isNeeded) retire(turn, stray, {});
  }
}

/** A worker says who it is: one of a master that is gone may not have been known. */
export function takeLifeline(turn: Turn, { call, client, worker, master }: Request<"lifeline">): void {
  update(turn, { lifelines: new Map(turn.state.lifelines).set(client, { call, worker, master }) });
  // Nobody is left: it may have called in its last moment.
  if (turn.state.life === "closing" || turn.state.life === "gone") return endLifelines(turn, worker.pid);
  // The number alone may be another one's, which was forked when nobody knew that it had been given.
  const known = turn.state.workers.get(worker.id);
  const isKnown = known?.worker.pid === worker.pid;
  if (master === turn.state.masters && turn.state.master === "alive" && (isKnown || !known)) {
    // One of which it was heard already that it is gone.
    if (worker.id <= turn.state.newestWorker && !known) return endLifelines(turn, worker.pid);
    return isKnown ? undefined : lookLater(turn, client, 0);
  }
  const stray = turn.state.strays.get(worker.pid);
  if (stray?.told) return sendAway(turn, stray, stray.told);
  if (stray || isKnown) return;
  // Its last word may be read after the news of its death.
  if (wasToldGone(turn.state, worker)) return endLifelines(turn, worker.pid);
  takeIn(turn, worker);
}

function takeIn(turn: Turn, worker: WorkerRef): void {
  addStray(turn, worker, "online");
  if (turn.state.startFailure) killStrays(turn);
  else if (turn.state.isWhole) retireStrays(turn);
}

function lookLater(turn: Turn, client: ClientId, looks: number): void {
  turn.effects.push({ type: "later", seconds: lookEvery, message: { type: "lifelineLook", client, looks } });
}

/**
 * A worker that seems to be the present master's, and of which that does not tell, is not: two daemons that followed the
 * same one have given their masters the same number.
 */
export function lookAfterLifeline(turn: Turn, { client, looks }: Request<"lifelineLook">): void {
  const { lifelines, master, masters, strays, workers } = turn.state;
  const lifeline = lifelines.get(client);
  if (lifeline?.call == null || lifeline.master !== masters || master !== "alive") return;
  const { worker } = lifeline;
  if (strays.has(worker.pid) || workers.get(worker.id)?.worker.pid === worker.pid) return;
  // A daemon that was held up finds that out first, and what it was told meanwhile after that.
  if (looks === 0) return lookLater(turn, client, 1);
  takeIn(turn, worker);
}

/** The present master's workers are all online: nobody else is needed any more. */
export function retireStrays(turn: Turn, changes: DrainChanges = {}): void {
  update(turn, { isWhole: true });
  for (const stray of turn.state.strays.values()) retire(turn, stray, changes);
}

function retire(turn: Turn, stray: Stray, changes: DrainChanges): void {
  if (stray.told) return;
  const { serving, start } = turn.state;
  // A server of a release that has failed may never end by itself, and would be waited for without an end.
  const hasFailed = stray.worker.generation > (serving?.generation ?? 0);
  const limits = hasFailed ? { kill: patience, ...changes } : changes;
  const told = changeTimes(start?.drain ?? { grace: 0, timeout: 0 }, limits);
  const dying: Stray = { ...stray, status: "dying", since: turn.time, told };
  update(turn, { strays: new Map(turn.state.strays).set(stray.worker.pid, dying) });
  // It accepts no more, so that others have to look after its queue.
  turn.effects.push({ type: "forgetWorker", worker: stray.worker });
  if (stray.status !== "dying") announceOwn(turn, { name: "ShutdownOld", worker: stray.worker });
  sendAway(turn, dying, told);
  limitStray(turn, stray.worker.pid, told);
}

export function limitStray(turn: Turn, pid: number, { grace, timeout, kill = patience }: DrainTimes): void {
  const seconds = grace + timeout + kill;
  turn.effects.push({ type: "later", seconds, message: { type: "strayLate", pid, force: false } });
}

function changeTimes(times: DrainTimes, { grace, timeout, kill = times.kill }: DrainChanges): DrainTimes {
  const drain = { grace: grace ?? times.grace, timeout: timeout ?? times.timeout };
  return kill === null || kill === undefined ? drain : { ...drain, kill };
}

// The answer to a lifeline is the order to go.
function sendAway(turn: Turn, { worker }: Stray, times: DrainTimes): void {
  answerLifelines(turn, worker.pid, times);
}

/** The time of a stray is over: it is killed if a time was set for it, or if it cannot be told anything. */
export function expireStray(turn: Turn, { pid, force }: Request<"strayLate">): void {
  const stray = turn.state.strays.get(pid);
  if (!stray || stray.killed) return;
  const isReachable = [...turn.state.lifelines.values()].some(({ worker }) => worker.pid === pid);
  if (force || stray.told?.kill !== undefined || !isReachable) killStray(turn, stray);
}

export function killStrays(turn: Turn): void {
  for (const stray of turn.state.strays.values()) if (!stray.killed) killStray(turn, stray);
}

function killStray(turn: Turn, stray: Stray): void {
  const told = stray.told ?? { grace: 0, timeout: 0 };
  const dying: Stray = { ...stray, status: "dying", told, killed: true };
  update(turn, { strays: new Map(turn.state.strays).set(stray.worker.pid, dying) });
  turn.effects.push({ type: "killProcess", pid: stray.worker.pid });
  announceOwn(turn, { name: "DestroyOld", worker: stray.worker });
}

/** Its process is gone. */
export function buryStray(turn: Turn, pid: number): void {
  const stray = turn.state.strays.get(pid);
  if (!stray) return;
  const strays = new Map(turn.state.strays);
  strays.delete(pid);
  update(turn, { strays });
  endLifelines(turn, pid);
  turn.effects.push({ type: "forgetWorker", worker: stray.worker });
  if (stray.status === "dying") return announceOwn(turn, { name: "OldExit", worker: stray.worker });
  announceOwn(turn, { name: "WorkerDeath", worker: stray.worker, detail: "died after its master" });
}

export function describeStrays({ strays }: Daemon, time: string): WorkerInfo[] {
  return [...strays.values()].map(({ worker, status, since }) => {
    const seconds = Math.max(0, (Date.parse(time) - Date.parse(since)) / 1000);
    return { ...worker, status, seconds, stray: true };
  });
}

export function sayStrays(turn: Turn): void {
  const { strays } = turn.state;
  if (strays.size === 0) return;
  const many = strays.size === 1 ? "1 worker is" : `${strays.size} workers are`;
  log(turn, `${many} left of it, and ${strays.size === 1 ? "serves" : "serve"} until there are new ones`);
}
