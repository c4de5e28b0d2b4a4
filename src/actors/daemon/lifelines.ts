/** The workers' connections to the daemon, each of which owes an answer: the order to go. Pure. */
import type { DrainTimes } from "../../protocol/types.js";
import type { ClientId } from "./state.js";
import { reply, type Turn, update } from "./turn.js";

/** A connection that owes an answer stays open, though nobody is there any more. */
export function endLifelines(turn: Turn, pid: number): void {
  answerLifelines(turn, pid, { grace: 0, timeout: 0 });
}

export function answerLifelines(turn: Turn, pid: number, times: DrainTimes): void {
  for (const [client, lifeline] of turn.state.lifelines) {
    if (lifeline.worker.pid !== pid || lifeline.call === null) continue;
    update(turn, { lifelines: new Map(turn.state.lifelines).set(client, { ...lifeline, call: null }) });
    reply(turn, lifeline.call, times);
  }
}

export function forgetLifeline(turn: Turn, client: ClientId): void {
  if (!turn.state.lifelines.has(client)) return;
  const lifelines = new Map(turn.state.lifelines);
  lifelines.delete(client);
  update(turn, { lifelines });
}
