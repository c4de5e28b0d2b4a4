/** The observer's own book of what lives and what is in flight, kept from messages and effects alone. */
import type { CallId, Generation, Message } from "../../src/actors/master/pool/state.js";
import type { Counts, EventName, Limits, WaitingFor, WorkerStatus } from "../../src/protocol/types.js";

export interface Seen {
  readonly id: number;
  readonly slot: number;
  readonly generation: number;
  status: WorkerStatus;
  told: "nothing" | "shutdown" | "kill";
  /** What the event of its exit has to be called, once it is dying. */
  leaves: EventName | null;
  onlineSince: number;
  readonly limits: Limits;
  /** Retired because it hangs, and has not answered since. */
  hangs: boolean;
  /** It has said that it uses too much. */
  over: boolean;
}

export interface SeenRollout {
  readonly kind: "boot" | "deploy";
  readonly id: string;
  readonly coming: Generation;
  readonly deadline: number | null;
  /** The serving workers that were there when it began. */
  readonly before: readonly number[];
  tookOver: boolean;
  failing: "failed" | "aborted" | null;
  killed: number;
}

export interface Model {
  now: number;
  started: boolean;
  stopping: boolean;
  ended: boolean;
  stopDeadline: number | null;
  serving: Generation | null;
  rollout: SeenRollout | null;
  readonly workers: Map<number, Seen>;
  /** Those that died unasked or said `offline`. */
  readonly left: Set<number>;
  readonly pending: Map<CallId, Message>;
  readonly outcomes: Map<string, { readonly outcome: string; readonly killed: number }>;
  lastDeploy: string | null;
  lastId: number;
  lastGeneration: number;
  /** Slots whose timer is set. */
  readonly delayed: Set<number>;
  /** When a slot of a generation was forked, and when that was owed to an `offline` after a decent life. */
  readonly forks: Map<string, number[]>;
  readonly excuses: Map<string, number[]>;
  /** How often a slot's worker has failed in a row, as the manual of the back-off counts. */
  readonly failures: Map<number, number>;
  lastWaiting: number;
  /** Milliseconds for which nothing could happen. */
  slept: number;
  /** When it was last woken, not counting sleep. */
  wokeAt: number;
  /** Of those, the ones that were too few at a time to be noticed between two questions. */
  napped: number;
  /** Those that cannot answer: since when, not counting sleep, and the share of their time that counts. */
  readonly mute: Map<number, { readonly since: number; readonly share: number }>;
  /** When a worker last had to go for its memory. */
  lastRelief: number;
  /** What was seen, for the count of how deep the histories go. */
  readonly reach: Set<string>;
}

export function createModel(): Model {
  return {
    now: 0,
    started: false,
    stopping: false,
    ended: false,
    stopDeadline: null,
    serving: null,
    rollout: null,
    workers: new Map(),
    left: new Set(),
    pending: new Map(),
    outcomes: new Map(),
    lastDeploy: null,
    lastId: 0,
    lastGeneration: 0,
    delayed: new Set(),
    forks: new Map(),
    excuses: new Map(),
    failures: new Map(),
    lastWaiting: 0,
    slept: 0,
    napped: 0,
    wokeAt: 0,
    mute: new Map(),
    lastRelief: Number.NEGATIVE_INFINITY,
    reach: new Set(),
  };
}

export function noteMute(model: Model, id: number, share: number | null): void {
  if (share === null) model.mute.delete(id);
  else model.mute.set(id, { since: model.now - model.slept, share });
}

/** Milliseconds of silence that may be held against it. */
export function measureSilence({ mute, now, slept }: Model, id: number, from = 0): number {
  const { since, share } = mute.get(id) ?? { since: now - slept, share: 0 };
  return (now - slept - Math.max(from, since)) * share;
}

export type Situation =
  | "nothing"
  | "boot"
  | "failing boot"
  | "rest"
  | "back-off"
  | "booting"
  | "destroying"
  | "leaving"
  | "stop"
  | "end";

export function findSituation({ started, stopping, ended, rollout, delayed }: Model): Situation {
  if (ended) return "end";
  if (!started) return "nothing";
  if (stopping) return "stop";
  if (!rollout) return delayed.size > 0 ? "back-off" : "rest";
  if (rollout.kind === "boot") return rollout.failing ? "failing boot" : "boot";
  if (rollout.tookOver) return "leaving";
  return rollout.failing ? "destroying" : "booting";
}

export function countSeen({ workers }: Model): Counts {
  const counts = { booting: 0, online: 0, dying: 0, new_online: 0 };
  for (const { status } of workers.values()) counts[status] += 1;
  return counts;
}

export function findWanted(model: Model): WaitingFor {
  if (model.ended) return null;
  if (model.stopping) return "shutdown";
  if (!model.rollout) return null;
  return model.rollout.tookOver ? "old" : "new";
}

export function isOld({ rollout }: Model, { generation }: Seen): boolean {
  return rollout !== null && generation < rollout.coming.number;
}

export function isComing({ rollout }: Model, { generation }: Seen): boolean {
  return rollout !== null && generation === rollout.coming.number;
}

/** Those the calls in flight wait for. */
export function listAwaited(model: Model): Seen[] {
  const all = [...model.workers.values()];
  if (model.stopping) return all;
  if (!model.rollout) return [];
  if (model.rollout.tookOver) return all.filter((worker) => isOld(model, worker));
  const coming = all.filter((worker) => isComing(model, worker));
  return model.rollout.failing ? coming : coming.filter(({ status }) => status === "booting");
}

/** Closes the rollout in the book when nobody is left that it waits for. */
export function closeRollout(model: Model): void {
  const { rollout } = model;
  if (!rollout || model.stopping || (!rollout.tookOver && !rollout.failing)) return;
  const awaited = rollout.tookOver ? isOld : isComing;
  for (const worker of model.workers.values()) if (awaited(model, worker)) return;
  if (rollout.tookOver) {
    for (const worker of model.workers.values()) if (worker.status === "new_online") worker.status = "online";
  }
  note(model, rollout, rollout.failing ?? "done");
  model.rollout = null;
}

export function note(model: Model, { kind, id, killed }: SeenRollout, outcome: string): void {
  if (kind === "boot") return;
  model.outcomes.set(id, { outcome, killed });
  model.lastDeploy = id;
}
