/** Clients that come, watch and go: who is sent which events. Pure. */
import { recall } from "./memory.js";
import type { ClientId, Daemon, Message } from "./state.js";
import { refuse, reply, type Turn, update } from "./turn.js";

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

/** What it asked for goes on; only nobody waits for it, and calls that do nothing but wait are over. */
export function forgetClient(turn: Turn, client: ClientId): void {
  const watchers = new Set(turn.state.watchers);
  watchers.delete(client);
  const forwarded = new Map(turn.state.forwarded);
  for (const [call, each] of turn.state.forwarded) {
    if (each.client !== client) continue;
    if (!each.joins) forwarded.set(call, { ...each, client: 0 });
    else {
      forwarded.delete(call);
      refuse(turn, call, { error: "Lost" });
    }
  }
  update(turn, { watchers, forwarded, stoppers: forgetStoppers(turn, client) });
}

/** One is kept, without whom nobody would know that there is to be a stop. */
function forgetStoppers(turn: Turn, client: ClientId): Daemon["stoppers"] {
  const { stoppers } = turn.state;
  const own = stoppers.filter((each) => each.client === client);
  const others = stoppers.filter((each) => each.client !== client);
  const [kept, ...over] = own;
  if (!kept) return stoppers;
  if (others.length > 0) over.push(kept);
  for (const { call } of over) refuse(turn, call, { error: "Lost" });
  return others.length > 0 ? others : [{ call: kept.call, client: 0 }];
}
