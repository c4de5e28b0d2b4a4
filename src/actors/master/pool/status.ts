/** What the pool says of itself: its status, and the workers that a call in flight waits for. */
import type { Status } from "../../../protocol/types.js";
import type { CallId, Phase, Pool, PoolStatus, PoolWorker } from "./state.js";
import { countWorkers, describeWorkers, emit, findWaitingFor, setTimer, type Turn } from "./turn.js";

export function tellStatus(turn: Turn, call: CallId): void {
  emit(turn, "Status");
  turn.effects.push({ type: "reply", call, result: describePool(turn.pool, turn.now) });
}

export function describePool(pool: Pool, now: number): PoolStatus {
  const { phase, workers, restarts, serving, backoff } = pool;
  return {
    phase: nameStatus(phase),
    counts: countWorkers(pool),
    waitingFor: findWaitingFor(pool),
    ...describeDeploy(phase, now),
    workers: describeWorkers(now, workers).map((worker) => ({
      ...worker,
      restarts: worker.generation === serving?.number ? (restarts.get(worker.slot) ?? 0) : 0,
    })),
    delays: [...backoff]
      .filter(([, { waiting }]) => waiting)
      .map(([slot, { failures }]) => ({ slot, failures })),
    slots: describeSlots(pool),
  };
}

function describeSlots({ serving, restarts, backoff }: Pool): PoolStatus["slots"] {
  return Array.from({ length: serving?.workerCount ?? 0 }, (_, slot) => ({
    slot,
    restarts: restarts.get(slot) ?? 0,
    failures: backoff.get(slot)?.failures ?? 0,
  }));
}

function describeDeploy(phase: Phase, now: number): Pick<Status, "deploy" | "deploying"> {
  if (phase.name !== "rollout" || phase.kind !== "deploy") return {};
  const { id, since, stage } = phase;
  return { deploy: id, deploying: { id, seconds: Math.max(0, (now - since) / 1000), stage } };
}

/** A master that has not been told to start is on its way up, too. */
function nameStatus(phase: Phase): Status["phase"] {
  switch (phase.name) {
    case "empty":
      return "booting";
    case "rollout":
      return phase.kind === "boot" ? "booting" : "deploying";
    case "rest":
      return "online";
    case "stop":
    case "gone":
      return "stopping";
  }
}

/** Tells callers whom they wait for, and again later. */
export function tellWaiting(turn: Turn): void {
  const { phase } = turn.pool;
  if (phase.name !== "rollout" && phase.name !== "stop") return;
  turn.effects.push({ type: "waiting", workers: describeWorkers(turn.now, findAwaited(turn.pool)) });
  scheduleWaiting(turn);
}

export function scheduleWaiting(turn: Turn): void {
  setTimer(turn, { kind: "waiting" }, waitingEvery);
}

/** Seconds. */
const waitingEvery = 5;

/** The workers whose next step a rollout or a stop needs. */
export function findAwaited({ phase, workers }: Pool): PoolWorker[] {
  if (phase.name !== "rollout") return [...workers];
  if (phase.stage === "leaving") return workers.filter(({ generation }) => generation < phase.coming.number);
  const coming = workers.filter(({ generation }) => generation === phase.coming.number);
  return phase.stage === "destroying" ? coming : coming.filter(({ status }) => status === "booting");
}
