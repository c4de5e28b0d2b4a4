/** Histories in which the pool once broke a promise, cut down to what matters; each named by the promise. */
import type { Move, Scenario } from "./world-adversary.js";
import { type Behaviour, goodBehaviour } from "./world-process.js";

function make(changes: Partial<Scenario>): Scenario {
  return {
    workerCount: 1,
    start: "booted",
    quality: "good",
    moves: [],
    behaviours: [],
    timerLags: [0],
    limited: false,
    jitters: [0],
    ...changes,
  };
}

function move(deed: Move["deed"], wait = 0, until: Move["until"] = null): Move {
  return { until, wait, deed };
}

function behave(changes: Partial<Behaviour>): Behaviour {
  return { ...goodBehaviour, ...changes };
}

const deploy = { type: "deploy", quality: "good", workerCount: 0, timeout: null, again: false } as const;
const status = { type: "status" } as const;

export const regressions: Readonly<Record<string, Scenario>> = {
  "a caller of a deploy is not told to wait for a worker that went offline and is no part of it": make({
    workerCount: 2,
    behaviours: [behave({ life: "says offline", lifeTime: 1500, farewell: "ignores" })],
    moves: [move({ ...deploy, quality: "hangs", timeout: 5 }, 1000), move(status, 9000)],
  }),
  "nor for a new one that went offline while old ones leave": make({
    behaviours: [
      behave({ farewell: "ignores" }),
      behave({ life: "says offline", lifeTime: 50, farewell: "ignores" }),
    ],
    moves: [move(deploy), move(status, 9000)],
  }),
  "a master that was not told to start is booting, not stopping": make({
    start: "nothing",
    moves: [move(status)],
  }),
  "a boot that failed before a stop came is a failed boot": make({
    start: "booting",
    quality: "mixed",
    workerCount: 2,
    behaviours: [behave({ boot: "says offline" }), behave({ boot: "never", lag: 100 })],
    moves: [move({ type: "stop", timeout: null }, 25)],
  }),
  "a deploy that was aborted before a stop came is an aborted deploy": make({
    behaviours: [goodBehaviour, behave({ boot: "never", lag: 100 })],
    moves: [
      move({ ...deploy, quality: "hangs" }),
      move({ type: "abort" }, 10),
      move({ type: "stop", timeout: null }),
    ],
  }),
  "the completion of a take-over makes no worker younger, or its offline would count as a failure": make({
    behaviours: [
      behave({ farewellTime: 3000 }),
      behave({ life: "crashes", lifeTime: 100 }),
      behave({ life: "says offline", lifeTime: 3200 }),
    ],
    moves: [move(deploy), move(status, 8000)],
  }),
};
