/** Clients that come, watch and go: who is sent which events. Pure. */
import { recall } from "./memory.js";
import type { ClientId, Message } from "./state.js";
import { reply, type Turn, update } from "./turn.js";

/** Sends what the client has missed, says how much of it is lost, and sends it everything from now on. */
export function watch(
  turn: Turn,
  { call, client, since, restarted }: Extract<Message, { type: "watch" }>,
): void {
  const { watchers, events, sequence } = turn.state;
  update(turn, { watchers: new Set(watchers).add(client) });
  if (since === undefined) return reply(turn, call, { sequence });
  // A number that was never given is of another daemon, too.
  const isForeign = restarted === true || since > sequence;
  const last = isForeign ? 0 : since;
  const kept = recall(events).filter((event) => event.sequence > last);
  if (kept.length > 0) turn.effects.push({ type: "replay", client, events: kept });
  const missed = sequence - last - kept.length;
  reply(turn, call, { sequence, missed, ...(isForeign ? { restarted: true } : {}) });
}

/** Its calls go on; only nobody waits for them. */
export function forgetClient(turn: Turn, client: ClientId): void {
  const watchers = new Set(turn.state.watchers);
  watchers.delete(client);
  const forwarded = new Map(turn.state.forwarded);
  for (const [call, each] of forwarded)
    if (each.client === client) forwarded.set(call, { ...each, client: 0 });
  update(turn, { watchers, forwarded });
}
