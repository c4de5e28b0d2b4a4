/** What the pool says of itself: its status, and the workers that a call in flight waits for. */
import type { Status } from "../../../protocol/types.js";
import type { CallId, Phase, Pool, PoolWorker } from "./state.js";
import { countWorkers, describeWorkers, emit, findWaitingFor, setTimer, type Turn } from "./turn.js";

export function tellStatus(turn: Turn, call: CallId): void {
  emit(turn, "Status");
  const { phase, workers } = turn.pool;
  const result: Omit<Status, "workers"> = {
    phase: nameStatus(phase),
    counts: countWorkers(turn.pool),
    waitingFor: findWaitingFor(turn.pool),
    ...(phase.name === "rollout" && phase.kind === "deploy" ? { deploy: phase.id } : {}),
  };
  const described = describeWorkers(turn, workers);
  turn.effects.push({ type: "reply", call, result: { ...result, workers: described } });
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
  turn.effects.push({ type: "waiting", workers: describeWorkers(turn, findAwaited(turn.pool)) });
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
