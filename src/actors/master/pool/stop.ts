/** The stop: possible at any moment, joined by later ones, which may shorten it. */

import type { DrainChanges } from "../../../protocol/types.js";
import { interruptRollout } from "./rollout.js";
import { forgiveAll } from "./slots.js";
import type { CallId, Message, Phase } from "./state.js";
import { scheduleWaiting } from "./status.js";
import { clearTimer, destroy, emit, enter, listStaying, retire, setTimer, type Turn } from "./turn.js";

/** `timeout` in seconds; null waits for as long as it takes. */
export function stop(turn: Turn, { call, timeout, drain }: Extract<Message, { type: "stop" }>): void {
  const { phase } = turn.pool;
  if (phase.name === "empty" || phase.name === "gone") {
    turn.effects.push({ type: "reply", call, result: {} });
    if (phase.name === "empty") end(turn);
    return;
  }
  if (phase.name === "stop") enter(turn, { ...phase, callers: [...phase.callers, call] });
  else beginStop(turn, call, drain);
  if (timeout !== null) shorten(turn, timeout);
  settleStop(turn);
}

function beginStop(turn: Turn, call: CallId, changes: DrainChanges | undefined): void {
  const before: Phase = turn.pool.phase;
  enter(turn, { name: "stop", callers: [call], deadline: null });
  forgiveAll(turn);
  if (before.name === "rollout") interruptRollout(turn, before);
  scheduleWaiting(turn);
  for (const worker of listStaying(turn, ["booting", "online", "new_online"])) {
    retire(turn, worker, { event: "ShutdownOld", leaves: "OldExit", changes });
  }
}

function shorten(turn: Turn, timeout: number): void {
  const { phase, workers } = turn.pool;
  const deadline = turn.now + timeout * 1000;
  if (phase.name !== "stop" || workers.length === 0) return;
  if (phase.deadline !== null && phase.deadline <= deadline) return;
  enter(turn, { ...phase, deadline });
  setTimer(turn, { kind: "stop" }, timeout);
}

/** Kills whatever has not left in time. */
export function expireStop(turn: Turn): void {
  if (turn.pool.phase.name !== "stop") return;
  emit(turn, "Timeout");
  for (const worker of turn.pool.workers) destroy(turn, worker, "DestroyOld", "OldExit");
}

export function settleStop(turn: Turn): void {
  const { phase, workers } = turn.pool;
  if (phase.name !== "stop" || workers.length > 0) return;
  clearTimer(turn, { kind: "waiting" });
  clearTimer(turn, { kind: "stop" });
  for (const call of phase.callers) turn.effects.push({ type: "reply", call, result: {} });
  end(turn);
}

function end(turn: Turn): void {
  enter(turn, { name: "gone" });
  turn.effects.push({ type: "end" });
}
