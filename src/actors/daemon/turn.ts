/** One step of the daemon's machine in the making. */
import type { Counts, EventName, NaughtEvent, PoolEvent } from "../../protocol/types.js";
import { formatCounts } from "../event-line.js";
import { remember } from "./memory.js";
import type { Answer, CallId, ClientId, Daemon, Effect, Forwarded, MasterAsk, Refusal } from "./state.js";

export const noCounts: Counts = { booting: 0, online: 0, dying: 0, new_online: 0 };

export interface Turn {
  state: Daemon;
  readonly effects: Effect[];
  readonly time: string;
  readonly at: number;
}

export function update(turn: Turn, changes: Partial<Daemon>): void {
  turn.state = { ...turn.state, ...changes };
}

/** Passes an event of the master on. */
export function announce(turn: Turn, event: PoolEvent): void {
  update(turn, { counts: event.counts, waitingFor: event.waitingFor });
  tell(turn, event);
}

/** Tells of something that the master knows nothing of. */
export function announceOwn(turn: Turn, event: Omit<PoolEvent, "counts" | "waitingFor">): void {
  const { counts, waitingFor } = turn.state;
  tell(turn, { ...event, counts, waitingFor });
}

/** Numbers and stamps an event, and brings it to the log and to everybody whom it concerns. */
function tell(turn: Turn, event: PoolEvent): void {
  const sequence = turn.state.sequence + 1;
  const counts = addStrays(event.counts, turn.state);
  const stamped: NaughtEvent = { ...event, counts, sequence, time: turn.time };
  update(turn, { sequence, events: remember(turn.state.events, stamped) });
  rememberDeath(turn, event);
  const line = `${event.name}. ${formatCounts(counts)}`;
  turn.effects.push({ type: "log", line, event: stamped });
  for (const more of explain(event)) turn.effects.push({ type: "log", line: more, event: "more" });
  turn.effects.push({ type: "event", clients: listAudience(turn.state), event: stamped });
}

function rememberDeath(turn: Turn, { worker, death }: PoolEvent): void {
  if (!worker || !death) return;
  const others = turn.state.deaths.filter((each) => each.worker.slot !== worker.slot);
  update(turn, { deaths: [...others, { ...death, worker, time: turn.time }] });
}

const unasked: readonly EventName[] = [
  "NewDeath",
  "WorkerDeath",
  "WorkerOffline",
  "ShutdownOld",
  "DestroyOld",
];

// What nobody asked for needs a reason in the log; what was asked for needs none, and its line is as it always was.
function explain(event: PoolEvent): string[] {
  const { stderr = [] } = event.death ?? {};
  return [
    ...explainReason(event),
    ...(stderr.length > 0 ? ["last lines of its stderr:", ...stderr.map((line) => `    ${line}`)] : []),
  ];
}

function explainReason({ name, worker, detail }: PoolEvent): string[] {
  if (detail === undefined) return [];
  if (name === "DeployFailed") return [detail];
  if (!worker || !unasked.includes(name)) return [];
  return [`worker ${worker.slot}${worker.pid ? ` (pid ${worker.pid})` : ""} ${detail}`];
}

/** Those who watch, and those whose call is in flight. */
export function listAudience({ watchers, forwarded, resolving, stoppers, startCall }: Daemon): ClientId[] {
  const calls = [...forwarded.values()].filter(({ kind }) => kind !== "status");
  const calling = [...calls, ...resolving.values(), ...stoppers].map(({ client }) => client);
  const audience = new Set([...watchers, ...calling, ...(startCall ? [startCall.client] : [])]);
  audience.delete(0);
  return [...audience];
}

/** The strays live, too. */
export function addStrays(counts: Counts, { strays }: Daemon): Counts {
  const sum = { ...counts };
  for (const { status } of strays.values()) sum[status] += 1;
  return sum;
}

export function forward(turn: Turn, call: CallId, as: Forwarded, ask: MasterAsk): void {
  update(turn, { forwarded: new Map(turn.state.forwarded).set(call, as) });
  askMaster(turn, call, ask);
}

export function askMaster(turn: Turn, call: CallId, ask: MasterAsk): void {
  turn.effects.push({ type: "askMaster", call, ask });
}

export function reply(turn: Turn, call: CallId, result: Answer): void {
  turn.effects.push({ type: "reply", call, result });
}

export function refuse(turn: Turn, call: CallId, refusal: Refusal): void {
  turn.effects.push({ type: "refuse", call, refusal });
}

export function log(turn: Turn, line: string): void {
  turn.effects.push({ type: "log", line });
}
