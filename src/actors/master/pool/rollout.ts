/** Boot and deploy: all new workers are forked at once, and only when all are online is any old one asked to go. */

import type { DrainChanges } from "../../../protocol/types.js";
import { announceReady, forgiveAll } from "./slots.js";
import type { CallId, Failure, Generation, PoolWorker, Result, Rollout } from "./state.js";
import { scheduleWaiting } from "./status.js";
import {
  clearTimer,
  countWorkers,
  destroy,
  emit,
  enter,
  listStaying,
  retire,
  setStatus,
  spawn,
  type Turn,
} from "./turn.js";

export function beginRollout(
  turn: Turn,
  {
    kind,
    id,
    coming,
    call,
    drain = {},
  }: {
    kind: Rollout["kind"];
    id: string;
    coming: Generation;
    call: CallId;
    drain?: DrainChanges | undefined;
  },
): void {
  turn.pool = { ...turn.pool, nextGeneration: coming.number + 1 };
  enter(turn, {
    name: "rollout",
    kind,
    id,
    coming,
    stage: "booting",
    callers: [call],
    aborters: [],
    failure: null,
    killed: 0,
    drain,
    since: turn.now,
  });
  scheduleWaiting(turn);
  for (let slot = 0; slot < coming.workerCount; slot += 1) spawn(turn, slot, coming);
}

/** The rollout whose new workers are still on their way up, if the worker is one of them. */
export function findBooting(turn: Turn, worker: PoolWorker): Rollout | null {
  const { phase } = turn.pool;
  if (phase.name !== "rollout" || phase.stage !== "booting") return null;
  return worker.generation === phase.coming.number ? phase : null;
}

/** Takes over once every new worker is online. */
export function takeOverWhenReady(turn: Turn, rollout: Rollout): void {
  if (countWorkers(turn.pool).new_online < rollout.coming.workerCount) return;
  const old = listStaying(turn, ["online", "booting"]);
  forgiveAll(turn);
  turn.pool = { ...turn.pool, serving: rollout.coming };
  turn.effects.push({ type: "serving", generation: rollout.coming, deploy: rollout.id });
  enter(turn, { ...rollout, stage: "leaving" });
  for (const worker of old) {
    retire(turn, worker, { event: "ShutdownOld", leaves: "OldExit", changes: rollout.drain });
  }
  settleRollout(turn);
}

/** Kills the new workers again; nothing else has been touched yet. */
export function failRollout(turn: Turn, rollout: Rollout, failure: Failure & { aborted: boolean }): void {
  enter(turn, { ...rollout, stage: "destroying", failure });
  clearTimer(turn, { kind: "deploy", generation: rollout.coming.number });
  const coming = ({ generation }: PoolWorker): boolean => generation === rollout.coming.number;
  for (const worker of listStaying(turn, ["new_online", "booting"]).filter(coming)) {
    destroy(turn, worker, "DestroyNew", "NewDestroyed");
  }
  settleRollout(turn);
}

/** Kills the old workers that have not left yet: the deploy is done all the same. */
export function destroyOld(turn: Turn): void {
  const { phase } = turn.pool;
  if (phase.name !== "rollout") return;
  const old = turn.pool.workers.filter(({ generation }) => generation < phase.coming.number);
  const killed = old.filter((worker) => destroy(turn, worker, "DestroyOld", "OldExit")).length;
  enter(turn, { ...phase, killed: phase.killed + killed });
}

/** Ends the rollout when those it waits for are gone. */
export function settleRollout(turn: Turn): void {
  const { phase, workers } = turn.pool;
  if (phase.name !== "rollout" || phase.stage === "booting") return;
  const { coming } = phase;
  if (phase.stage === "leaving") {
    if (workers.some(({ generation }) => generation < coming.number)) return;
    for (const worker of listStaying(turn, ["new_online"])) setStatus(turn, worker, "online");
    endRollout(turn, phase, "done");
  } else {
    if (workers.some(({ generation }) => generation === coming.number)) return;
    endRollout(turn, phase, nameFailure(phase));
  }
}

function endRollout(turn: Turn, rollout: Rollout, outcome: "done" | "failed" | "aborted"): void {
  clearTimer(turn, { kind: "waiting" });
  clearTimer(turn, { kind: "deploy", generation: rollout.coming.number });
  const booted = rollout.kind === "deploy" || outcome === "done";
  enter(turn, booted ? { name: "rest" } : { name: "gone" });
  if (outcome === "failed" && rollout.kind === "deploy")
    emit(turn, "DeployFailed", null, rollout.failure?.reason);
  announceReady(turn);
  answerRollout(turn, rollout, outcome);
  if (!booted) turn.effects.push({ type: "end" });
}

function nameFailure({ failure }: Rollout): "failed" | "aborted" {
  return failure?.aborted ? "aborted" : "failed";
}

/** Tells everybody who waits for the rollout that a stop ends it; one that had failed before has its own reason. */
export function interruptRollout(turn: Turn, rollout: Rollout): void {
  clearTimer(turn, { kind: "deploy", generation: rollout.coming.number });
  answerRollout(turn, rollout, rollout.failure ? nameFailure(rollout) : "stopped");
}

/** Answers everybody who waits for the rollout. */
function answerRollout(
  turn: Turn,
  rollout: Rollout,
  outcome: "done" | "failed" | "aborted" | "stopped",
): void {
  const failed =
    outcome === "stopped"
      ? { reason: "the server was stopped" }
      : outcome === "failed"
        ? rollout.failure
        : null;
  const counts = countWorkers(turn.pool);
  const failure = failed ? { failed: { reason: failed.reason, ...pickWorker(failed) } } : {};
  let result: Result;
  if (rollout.kind === "boot") {
    result = {
      outcome: outcome === "done" ? "ready" : outcome === "stopped" ? "stopped" : "failed",
      counts,
      ...failure,
    };
  } else {
    const settled = {
      deploy: rollout.id,
      outcome: outcome === "stopped" ? "failed" : outcome,
      counts,
      killed: rollout.killed,
      ...failure,
    } as const;
    turn.pool = { ...turn.pool, lastDeploy: settled };
    result = settled;
  }
  for (const call of [...rollout.callers, ...rollout.aborters])
    turn.effects.push({ type: "reply", call, result });
}

function pickWorker({ worker }: Failure): { worker?: PoolWorker } {
  return worker ? { worker } : {};
}
