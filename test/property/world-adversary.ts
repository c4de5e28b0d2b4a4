/** What an adversary can make of a history: fast-check's recipe for the processes' behaviours and the calls. */
import fc from "fast-check";
import type { Situation } from "./world-model.js";
import type { Behaviour, Quality } from "./world-process.js";

export type Deed =
  | {
      readonly type: "deploy";
      readonly quality: Quality;
      readonly workerCount: number;
      /** Seconds. */
      readonly timeout: number | null;
      /** The id of the deploy before is used again. */
      readonly again: boolean;
    }
  | { readonly type: "stop"; readonly timeout: number | null }
  | { readonly type: "attach"; readonly known: boolean }
  | { readonly type: "abort" | "status" | "start" }
  /** The machine, or the whole tree of processes, is stopped for a while. */
  | { readonly type: "sleep"; readonly ms: number }
  /** Which of the living processes, counted round and round. */
  | { readonly type: "crash" | "offline" | "online"; readonly victim: number };

export interface Move {
  /** First wait for this, but not for ever. */
  readonly until: Situation | null;
  /** Then this many milliseconds. */
  readonly wait: number;
  readonly deed: Deed;
}

export interface Scenario {
  readonly workerCount: number;
  readonly start: "booted" | "resumed" | "booting" | "nothing";
  /** What the first launch is like, unless the history starts booted. */
  readonly quality: Quality;
  readonly moves: readonly Move[];
  /** The first is for worker 1; workers beyond the end are good. */
  readonly behaviours: readonly Behaviour[];
  /** How late timers fire, in milliseconds, each in turn: a clear may come in between. */
  readonly timerLags: readonly number[];
  /** Whether the launches have limits. */
  readonly limited: boolean;
  /** Between -1 and 1, each timer with jitter in turn. */
  readonly jitters: readonly number[];
}

/** Each value with its weight. */
function pick<T>(...choices: readonly (readonly [number, T])[]): fc.Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));
}

function mix<T>(...choices: readonly (readonly [number, fc.Arbitrary<T>])[]): fc.Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

const upTo = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
const lag = mix([6, fc.constant(1)], [2, upTo(10)], [1, upTo(200)]);

const behaviour: fc.Arbitrary<Behaviour> = fc.record({
  boot: pick<Behaviour["boot"]>(
    [24, "online"],
    [1, "never"],
    [2, "throws"],
    [1, "exits"],
    [1, "says offline"],
    [1, "cannot be forked"],
  ),
  bootTime: mix([6, upTo(300)], [1, upTo(6000)]),
  life: pick<Behaviour["life"]>(
    [14, "lasts"],
    [3, "crashes"],
    [2, "says offline"],
    [1, "says offline twice"],
  ),
  lifeTime: mix([1, upTo(20)], [3, upTo(3000)], [1, upTo(90_000)]),
  farewell: pick<Behaviour["farewell"]>([10, "leaves"], [3, "ignores"], [1, "says offline and leaves"]),
  farewellTime: mix([3, upTo(500)], [2, upTo(8000)]),
  lag,
  exitLag: lag,
  health: pick<Behaviour["health"]>(
    [20, "fine"],
    [2, "hangs"],
    [1, "hangs for a while"],
    [1, "starved"],
    [2, "bloated"],
  ),
  healthTime: mix([2, upTo(100)], [3, upTo(10_000)]),
});

const timeout = mix<number | null>(
  [3, fc.constant(null)],
  [1, fc.constant(0)],
  [3, fc.integer({ min: 1, max: 8 })],
);
const victim = upTo(30);

const deed: fc.Arbitrary<Deed> = mix<Deed>(
  [
    12,
    fc.record({
      type: fc.constant("deploy" as const),
      quality: pick<Quality>([8, "good"], [2, "mixed"], [1, "bad"], [2, "hangs"], [2, "rotten"]),
      workerCount: mix([3, fc.constant(0)], [2, fc.integer({ min: 1, max: 5 })]),
      timeout,
      again: pick([9, false], [1, true]),
    }),
  ],
  [3, fc.constant({ type: "abort" })],
  [3, fc.record({ type: fc.constant("stop" as const), timeout })],
  [2, fc.record({ type: fc.constant("attach" as const), known: pick([4, true], [1, false]) })],
  [1, fc.constant({ type: "status" })],
  [1, fc.constant({ type: "start" })],
  [1, fc.record({ type: fc.constant("sleep" as const), ms: mix([1, upTo(5000)], [2, upTo(200_000)]) })],
  [5, fc.record({ type: fc.constant("crash" as const), victim })],
  [3, fc.record({ type: fc.constant("offline" as const), victim })],
  [1, fc.record({ type: fc.constant("online" as const), victim })],
);

const move: fc.Arbitrary<Move> = fc.record({
  until: pick<Situation | null>(
    [4, null],
    [2, "rest"],
    [2, "booting"],
    [2, "destroying"],
    [4, "leaving"],
    [1, "back-off"],
    [2, "stop"],
  ),
  wait: mix([4, fc.constant(0)], [3, upTo(30)], [3, upTo(2000)], [1, upTo(20_000)], [1, upTo(120_000)]),
  deed,
});

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  workerCount: pick([2, 1], [3, 2], [2, 3], [1, 4], [1, 5]),
  start: pick<Scenario["start"]>([16, "booted"], [1, "resumed"], [2, "booting"], [1, "nothing"]),
  quality: pick<Quality>([4, "good"], [2, "mixed"], [1, "bad"], [1, "hangs"]),
  moves: fc.array(move, { minLength: 2, maxLength: 9, size: "max" }),
  behaviours: fc.array(behaviour, { minLength: 5, maxLength: 14, size: "max" }),
  timerLags: fc.array(mix([2, fc.constant(0)], [1, upTo(20)]), { minLength: 1, maxLength: 4 }),
  limited: pick([3, false], [1, true]),
  jitters: fc.array(fc.constantFrom(-1, 0, 1), { minLength: 1, maxLength: 4 }),
});
