/** What an adversary can do to a whole server: fast-check's recipe for whom it kills and holds, and what clients ask. */
import fc from "fast-check";
import type { Conditions } from "./tree-machine.js";

export type Victim = "daemon" | "master" | "worker";

/** In the middle of what a process does: before its next call to the system but so many; null: between two things. */
type Fuse = number | null;

export type Deed =
  | {
      readonly type: "kill";
      readonly victims: readonly Victim[];
      readonly which: number;
      readonly fuse: Fuse;
    }
  /** Every worker but one. */
  | { readonly type: "decimate"; readonly which: number; readonly supervisors: boolean }
  | {
      readonly type: "hold";
      readonly victims: readonly Victim[];
      readonly which: number;
      readonly how: "stopped" | "starved";
      readonly ms: number;
    }
  /** All processes are stopped, and go on one after the other. */
  | { readonly type: "freeze"; readonly ms: number; readonly skews: readonly number[] }
  /** The machine sleeps. */
  | { readonly type: "sleep"; readonly ms: number }
  /** The time of day is set, by so many milliseconds. */
  | { readonly type: "setClock"; readonly by: number }
  /** The next daemons to be started in the place of a dead one are not. */
  | { readonly type: "failHeirs"; readonly count: number }
  | { readonly type: "deploy"; readonly quality: Quality; readonly workerCount: number }
  | { readonly type: "stop"; readonly timeout: number | null }
  | { readonly type: "abort" | "status" | "attach" | "offline" };

/** Of a launch: its workers come online, or never do, or die at once; in the name of its script. */
export type Quality = "good" | "slow" | "hangs" | "bad";

export interface Move {
  /** Milliseconds before it. */
  readonly wait: number;
  readonly deed: Deed;
}

export interface Scenario extends Conditions {
  readonly workerCount: number;
  readonly moves: readonly Move[];
  /** Milliseconds, each worker in turn. */
  readonly boots: readonly number[];
  readonly farewells: readonly number[];
  /** Whether workers are killed that have not left in time. */
  readonly isKilling: boolean;
}

function pick<T>(...choices: readonly (readonly [number, T])[]): fc.Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));
}

function mix<T>(...choices: readonly (readonly [number, fc.Arbitrary<T>])[]): fc.Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

const upTo = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
const which = upTo(10);
const victims = pick<readonly Victim[]>(
  [3, ["daemon"]],
  [3, ["master"]],
  [2, ["worker"]],
  [2, ["daemon", "master"]],
  [1, ["master", "daemon"]],
  [1, ["master", "worker"]],
  [1, ["daemon", "worker"]],
);

const deed: fc.Arbitrary<Deed> = mix<Deed>(
  [
    14,
    fc.record({
      type: fc.constant("kill" as const),
      victims,
      which,
      fuse: mix<Fuse>([2, fc.constant(null)], [2, upTo(4)], [1, upTo(30)]),
    }),
  ],
  [1, fc.record({ type: fc.constant("decimate" as const), which, supervisors: fc.boolean() })],
  [
    4,
    fc.record({
      type: fc.constant("hold" as const),
      victims,
      which,
      how: pick<"stopped" | "starved">([2, "stopped"], [1, "starved"]),
      ms: mix([2, upTo(1500)], [2, upTo(12_000)], [2, upTo(40_000)]),
    }),
  ],
  [
    1,
    fc.record({
      type: fc.constant("freeze" as const),
      ms: mix([1, upTo(3000)], [1, upTo(100_000)]),
      skews: fc.array(upTo(300), { minLength: 1, maxLength: 4 }),
    }),
  ],
  [1, fc.record({ type: fc.constant("sleep" as const), ms: mix([1, upTo(5000)], [1, upTo(200_000)]) })],
  [1, fc.record({ type: fc.constant("setClock" as const), by: fc.integer({ min: -1e8, max: 1e8 }) })],
  [1, fc.record({ type: fc.constant("failHeirs" as const), count: fc.integer({ min: 1, max: 4 }) })],
  [
    6,
    fc.record({
      type: fc.constant("deploy" as const),
      quality: pick<Quality>([5, "good"], [2, "slow"], [1, "hangs"], [1, "bad"]),
      workerCount: mix([3, fc.constant(0)], [1, fc.integer({ min: 1, max: 3 })]),
    }),
  ],
  [
    1,
    fc.record({
      type: fc.constant("stop" as const),
      timeout: pick<number | null>([1, null], [1, 1], [1, 9]),
    }),
  ],
  [1, fc.constant({ type: "abort" })],
  [1, fc.constant({ type: "status" })],
  [1, fc.constant({ type: "attach" })],
  [1, fc.constant({ type: "offline" })],
);

const wait = mix([3, upTo(20)], [4, upTo(600)], [3, upTo(5000)], [1, upTo(30_000)]);

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  workerCount: pick([2, 1], [3, 2], [1, 3]),
  moves: fc.array(fc.record({ wait, deed }), { minLength: 1, maxLength: 7, size: "max" }),
  latencies: fc.array(mix([8, upTo(3)], [2, upTo(40)], [1, upTo(800)]), { minLength: 1, maxLength: 7 }),
  mutes: fc.array(pick([2, false], [1, true]), { minLength: 1, maxLength: 3 }),
  boots: fc.array(mix([3, upTo(300)], [1, upTo(4000)]), { minLength: 1, maxLength: 4 }),
  farewells: fc.array(mix([3, upTo(300)], [1, upTo(8000)]), { minLength: 1, maxLength: 4 }),
  isKilling: fc.boolean(),
});
