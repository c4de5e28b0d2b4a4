/** What a planted fault is, and the verbs that the faults are written in. */
import { step } from "../../src/actors/master/pool/pool.js";
import type { Effect, Message, Pool, PoolWorker, Rollout } from "../../src/actors/master/pool/state.js";
import type { EventName } from "../../src/protocol/types.js";
import type { Step } from "./world.js";
import type { PromiseName } from "./world-promises.js";

export interface Fault {
  /** Ends the sentence "a pool that …". */
  readonly does: string;
  /** The promise that it breaks, or each that it may break first. */
  readonly breaks: readonly PromiseName[];
  /** A pool with the fault; a new one for every history. */
  readonly plant: () => Step;
}

export type Outcome = ReturnType<Step>;
export type Change = (outcome: Outcome, before: Pool, message: Message) => Outcome;

/** The pool does what it does, and then something is changed about it. */
export function change(alter: Change): Fault["plant"] {
  return () => (pool, message, now) => alter(step(pool, message, now), pool, message);
}

/** The pool never gets the messages that are meant. */
export function ignore(meant: (message: Message, pool: Pool) => boolean): Fault["plant"] {
  return () => (pool, message, now) =>
    meant(message, pool) ? { pool, effects: [] } : step(pool, message, now);
}

/** Effects that are meant are not carried out. */
export function drop(meant: (effect: Effect, before: Pool, message: Message) => boolean): Fault["plant"] {
  return change(({ pool, effects }, before, message) => ({
    pool,
    effects: effects.filter((effect) => !meant(effect, before, message)),
  }));
}

/** The first effect in a step that is meant is not carried out. */
export function dropFirst(meant: (effect: Effect, message: Message) => boolean): Fault["plant"] {
  return change(({ pool, effects }, _before, message) => {
    const index = effects.findIndex((effect) => meant(effect, message));
    return { pool, effects: effects.filter((_effect, i) => i !== index) };
  });
}

export function append({ pool, effects }: Outcome, ...more: readonly Effect[]): Outcome {
  return { pool, effects: [...effects, ...more] };
}

export function says({ effects }: Outcome, name: EventName): boolean {
  return effects.some((effect) => effect.type === "emit" && effect.event.name === name);
}

export function tell(name: EventName, { workers, phase }: Pool, worker: PoolWorker | null): Effect {
  const counts = { booting: 0, online: 0, dying: 0, new_online: 0 };
  for (const { status } of workers) counts[status] += 1;
  const leaving = phase.name === "rollout" && phase.stage === "leaving";
  const waitingFor =
    phase.name === "rollout" ? (leaving ? "old" : "new") : phase.name === "stop" ? "shutdown" : null;
  return { type: "emit", event: { name, counts, waitingFor }, worker };
}

export function alterWorker(pool: Pool, id: number, changes: Partial<PoolWorker>): Pool {
  return {
    ...pool,
    workers: pool.workers.map((worker) => (worker.id === id ? { ...worker, ...changes } : worker)),
  };
}

/** One more worker of the serving generation than there should be. */
export function addWorker(outcome: Outcome, slot: number): Outcome {
  const { pool } = outcome;
  if (!pool.serving) return outcome;
  const { number: generation, launch } = pool.serving;
  const id = pool.nextWorker;
  const worker = {
    id,
    slot,
    generation,
    status: "booting",
    since: 0,
    born: 0,
    leaves: null,
    killed: false,
    limits: {},
    told: false,
    silence: 0,
    inspected: false,
    hangs: null,
  } as const;
  const more = { ...pool, nextWorker: id + 1, workers: [...pool.workers, worker] };
  return append(
    { pool: more, effects: outcome.effects },
    { type: "fork", worker, launch },
    tell("SpawnNew", more, worker),
  );
}

/** The deploy in flight, if it is in this stage. */
export function findDeploy({ phase }: Pool, stage: Rollout["stage"]): Rollout | null {
  return phase.name === "rollout" && phase.kind === "deploy" && phase.stage === stage ? phase : null;
}

export function findServing({ workers, serving }: Pool): PoolWorker | undefined {
  return workers.find(({ status, generation }) => status === "online" && generation === serving?.number);
}
