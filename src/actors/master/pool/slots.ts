/** The slots of the serving generation: kept filled, with a back-off where workers die again and again. */
import type { Generation, PoolWorker } from "./state.js";
import { clearTimer, emit, listStaying, setTimer, spawn, type Turn } from "./turn.js";

const firstDelay = 1;
const longestDelay = 60;
/** A worker that was online for this many seconds has made good for its predecessors' failures. */
const steadyAfter = 60;

/** Compares what is with what should be, and forks for every vacant slot that is not held back. */
export function fillSlots(turn: Turn): void {
  const serving = findServing(turn);
  if (!serving) return;
  const staying = listStaying(turn, ["booting", "online", "new_online"]);
  const filled = new Set(
    staying.filter((worker) => worker.generation === serving.number).map(({ slot }) => slot),
  );
  for (let slot = 0; slot < serving.workerCount; slot += 1) {
    if (!filled.has(slot) && !turn.pool.backoff.get(slot)?.waiting) spawn(turn, slot, serving);
  }
}

/** The generation whose slots have to be filled: none before the first has taken over, or once a stop has begun. */
function findServing({ pool }: Turn): Generation | null {
  return pool.phase.name === "rest" || pool.phase.name === "rollout" ? pool.serving : null;
}

/** Counts a failure of the slot's worker. The first is forgiven; returns what to say about the delay, if there is one. */
export function noteFailure(turn: Turn, { slot }: PoolWorker): string | undefined {
  const failures = (turn.pool.backoff.get(slot)?.failures ?? 0) + 1;
  const waiting = failures > 1;
  setBackoff(turn, slot, { failures, waiting });
  if (!waiting) return undefined;
  const seconds = Math.min(longestDelay, firstDelay * 2 ** (failures - 2));
  setTimer(turn, { kind: "slot", slot, failures }, seconds, true);
  return `failure ${failures} in a row, next try in about ${seconds} s`;
}

export function endDelay(turn: Turn, slot: number, failures: number): void {
  const backoff = turn.pool.backoff.get(slot);
  if (backoff?.waiting && backoff.failures === failures) setBackoff(turn, slot, { failures, waiting: false });
}

/** Starts the time after which a replacement counts as steady. */
export function watchSteadiness(turn: Turn, worker: PoolWorker): void {
  if (turn.pool.backoff.has(worker.slot)) setTimer(turn, { kind: "steady", worker: worker.id }, steadyAfter);
}

export function forgiveSlot(turn: Turn, slot: number): void {
  setBackoff(turn, slot, null);
}

/** Counts a worker that the slot has lost without our doing. */
export function noteLoss(turn: Turn, { slot, generation }: PoolWorker): void {
  if (generation !== turn.pool.serving?.number) return;
  const restarts = new Map(turn.pool.restarts).set(slot, (turn.pool.restarts.get(slot) ?? 0) + 1);
  turn.pool = { ...turn.pool, restarts };
}

/** A new launch starts with a clean slate; so does a stop, which has nothing to replace. */
export function forgiveAll(turn: Turn): void {
  turn.pool = { ...turn.pool, restarts: new Map() };
  for (const slot of turn.pool.backoff.keys()) setBackoff(turn, slot, null);
}

function setBackoff(turn: Turn, slot: number, next: { failures: number; waiting: boolean } | null): void {
  const backoff = new Map(turn.pool.backoff);
  const before = backoff.get(slot);
  if (before?.waiting) clearTimer(turn, { kind: "slot", slot, failures: before.failures });
  if (next) backoff.set(slot, next);
  else backoff.delete(slot);
  turn.pool = { ...turn.pool, backoff };
}

/** Says so when the pool is at rest with every slot's worker online. */
export function announceReady(turn: Turn): void {
  const { phase, serving, workers } = turn.pool;
  if (phase.name !== "rest" || !serving) return;
  if (workers.filter(({ status }) => status === "online").length === serving.workerCount) emit(turn, "Ready");
}
