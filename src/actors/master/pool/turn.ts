/** One step in the making: the state so far and the effects so far. The other files of the pool are written in its verbs. */
import type {
  Counts,
  DrainChanges,
  DrainTimes,
  EventName,
  ResolvedLaunch,
  WaitingFor,
  WorkerInfo,
  WorkerStatus,
} from "../../../protocol/types.js";
import { formatSpan } from "../../span.js";
import type { Effect, Generation, Phase, Pool, PoolWorker, Timer } from "./state.js";

export interface Turn {
  pool: Pool;
  readonly effects: Effect[];
  /** Milliseconds of a monotonic clock. */
  readonly now: number;
}

export function enter(turn: Turn, phase: Phase): void {
  turn.pool = { ...turn.pool, phase };
}

/** Forks a worker for `slot` of `generation`. */
export function spawn(turn: Turn, slot: number, generation: Generation): PoolWorker {
  const { nextWorker: id, workers } = turn.pool;
  const worker: PoolWorker = {
    id,
    slot,
    generation: generation.number,
    status: "booting",
    since: turn.now,
    born: turn.now,
    leaves: null,
    killed: false,
    limits: generation.launch.limits ?? {},
    told: false,
    silence: 0,
    inspected: false,
    hangs: null,
  };
  turn.pool = { ...turn.pool, nextWorker: id + 1, workers: [...workers, worker] };
  fork(turn, worker, generation.launch);
  emit(turn, "SpawnNew", worker);
  return worker;
}

function fork(turn: Turn, worker: PoolWorker, launch: ResolvedLaunch): void {
  turn.effects.push({ type: "fork", worker, launch });
}

/** Asks a worker to leave in its own time, or in what `changes` makes of it. */
export function retire(
  turn: Turn,
  worker: PoolWorker,
  { event, leaves, detail, changes = {} }: Retirement,
): void {
  const times = changeTimes(turn.pool.times, changes);
  const patience = times.kill === undefined ? {} : { patience: times.kill };
  const dying = change(turn, worker, { status: "dying", leaves, ...patience });
  emit(turn, event, dying, detail);
  turn.effects.push({ type: "shutdown", worker: worker.id, times });
  // One that hangs is never told, so it is not waited for beyond the longest drain.
  if (times.kill !== undefined) {
    setTimer(turn, { kind: "patience", worker: worker.id }, times.grace + times.timeout + times.kill);
  }
}

interface Retirement {
  readonly event: EventName;
  /** What the event of its exit will be called. */
  readonly leaves: EventName;
  readonly detail?: string | undefined;
  readonly changes?: DrainChanges | undefined;
}

function changeTimes(times: DrainTimes, { grace, timeout, kill = times.kill }: DrainChanges): DrainTimes {
  const drain = { grace: grace ?? times.grace, timeout: timeout ?? times.timeout };
  return kill === null || kill === undefined ? drain : { ...drain, kill };
}

/** Kills a worker, which counts as dying until it is gone. One that is being killed already is left alone. */
export function destroy(
  turn: Turn,
  worker: PoolWorker,
  event: EventName,
  leaves: EventName,
  detail?: string,
): boolean {
  if (worker.killed) return false;
  const dying = change(turn, worker, { status: "dying", leaves: worker.leaves ?? leaves, killed: true });
  emit(turn, event, dying, detail);
  turn.effects.push({ type: "kill", worker: worker.id });
  return true;
}

/** What is known of a worker changes, and nothing of what it is there for. */
export function note(
  turn: Turn,
  worker: PoolWorker,
  changes: Partial<Pick<PoolWorker, "told" | "silence" | "inspected" | "hangs">>,
): PoolWorker {
  return change(turn, worker, { ...changes, status: worker.status });
}

export function setStatus(turn: Turn, worker: PoolWorker, status: WorkerStatus): PoolWorker {
  return change(turn, worker, { status });
}

function change(turn: Turn, worker: PoolWorker, changes: Partial<PoolWorker>): PoolWorker {
  // A take-over that is complete makes a worker no younger.
  const online = worker.status === "new_online" && changes.status === "online";
  const since = online || changes.status === worker.status ? worker.since : turn.now;
  const changed = { ...worker, ...changes, since };
  const workers = turn.pool.workers.map((other) => (other.id === worker.id ? changed : other));
  turn.pool = { ...turn.pool, workers };
  return changed;
}

export function remove(turn: Turn, worker: PoolWorker): void {
  turn.pool = { ...turn.pool, workers: turn.pool.workers.filter(({ id }) => id !== worker.id) };
}

export function emit(turn: Turn, name: EventName, worker: PoolWorker | null = null, detail?: string): void {
  const event = { name, counts: countWorkers(turn.pool), waitingFor: findWaitingFor(turn.pool) };
  turn.effects.push({ type: "emit", event: detail === undefined ? event : { ...event, detail }, worker });
}

/** Tells of the end of a worker that was not to end; `rest` is what more there is to say. */
export function emitDeath(
  turn: Turn,
  name: "NewDeath" | "WorkerDeath",
  worker: PoolWorker,
  { how, rest }: { how: string; rest?: string | undefined },
): void {
  const seconds = Math.max(0, (turn.now - worker.born) / 1000);
  const why = worker.hangs === null ? "" : `: ${worker.hangs}`;
  // One that could not even be started has not lived.
  const lived = how.startsWith("could not be started") ? how : `${how} after ${formatSpan(seconds)}${why}`;
  const event = {
    name,
    counts: countWorkers(turn.pool),
    waitingFor: findWaitingFor(turn.pool),
    detail: rest === undefined ? lived : `${lived}; ${rest}`,
    death: { reason: `${how}${why}`, seconds },
  };
  turn.effects.push({ type: "emit", event, worker });
}

export function setTimer(turn: Turn, timer: Timer, seconds: number, jitter = false): void {
  turn.effects.push({ type: "setTimer", timer, seconds, jitter });
}

export function clearTimer(turn: Turn, timer: Timer): void {
  turn.effects.push({ type: "clearTimer", timer });
}

export function findWorker(turn: Turn, id: number): PoolWorker | undefined {
  return turn.pool.workers.find((worker) => worker.id === id);
}

/** The workers that nobody has asked to go, those of the given statuses in that order. */
export function listStaying(turn: Turn, statuses: readonly WorkerStatus[]): PoolWorker[] {
  return statuses.flatMap((status) => turn.pool.workers.filter((worker) => worker.status === status));
}

export function countWorkers(pool: Pool): Counts {
  const counts = { booting: 0, online: 0, dying: 0, new_online: 0 };
  for (const { status } of pool.workers) counts[status] += 1;
  return counts;
}

export function findWaitingFor({ phase }: Pool): WaitingFor {
  if (phase.name === "stop") return "shutdown";
  if (phase.name !== "rollout") return null;
  return phase.stage === "leaving" ? "old" : "new";
}

export function describeWorkers(now: number, workers: readonly PoolWorker[]): Omit<WorkerInfo, "pid">[] {
  return workers.map(({ id, slot, generation, status, since }) => ({
    id,
    slot,
    generation,
    status,
    seconds: Math.max(0, (now - since) / 1000),
  }));
}
