/** What the pool says of itself: restarts of slots, delays, the deploy in flight. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PoolStatus } from "../../src/actors/master/pool/state.js";
import { type Driver, rest } from "./pool-driver.js";

function ask(pool: Driver): PoolStatus {
  const answer = pool.answer(pool.status());
  assert.ok(typeof answer === "object" && "workers" in answer);
  return answer as PoolStatus;
}

const restarts = (pool: Driver) => ask(pool).workers.map(({ slot, restarts }) => [slot, restarts]);

test("a slot's losses are counted, whether its worker died or said offline, until the next take-over", () => {
  const pool = rest(2);
  pool.exit(1, "exited with code 1");
  pool.online(3);
  pool.pass(10);
  pool.offline(3);
  assert.deepEqual(restarts(pool), [
    [1, 0],
    [0, 2],
    [0, 2],
  ]);
  pool.exit(3);
  pool.online(4);
  pool.deploy("d");
  pool.online(5, 6);
  pool.exit(2);
  pool.exit(4);
  assert.deepEqual(restarts(pool), [
    [0, 0],
    [1, 0],
  ]);
});

test("new workers of a deploy that die are no restarts", () => {
  const pool = rest(1);
  pool.deploy("d");
  pool.exit(2, "exited with code 1");
  assert.deepEqual(restarts(pool), [[0, 0]]);
});

test("a slot that is held back is told, with its failures", () => {
  const pool = rest(2);
  pool.exit(1);
  assert.deepEqual(ask(pool).delays, []);
  pool.exit(3);
  assert.deepEqual(ask(pool).delays, [{ slot: 0, failures: 2 }]);
  pool.fire("slot");
  assert.deepEqual(ask(pool).delays, []);
});

test("every slot is told with its restarts and failures, also one that is held back", () => {
  const pool = rest(2);
  pool.exit(1);
  pool.exit(3);
  assert.deepEqual(ask(pool).slots, [
    { slot: 0, restarts: 2, failures: 2 },
    { slot: 1, restarts: 0, failures: 0 },
  ]);
});

test("a death is told with how it came and how long the worker had lived, a farewell is not", () => {
  const pool = rest(1);
  pool.exit(1, "was killed by SIGSEGV");
  pool.online(2);
  pool.pass(4.2);
  pool.offline(2);
  pool.online(3);
  pool.exit(2);
  pool.pass(90);
  pool.offline(3);
  pool.exit(3, "exited with code 1");
  assert.deepEqual(pool.takeDeaths(), [
    { reason: "was killed by SIGSEGV", seconds: 3600 },
    { reason: "exited with code 1", seconds: 90 },
  ]);
  assert.deepEqual(pool.takeDetails(), [
    "was killed by SIGSEGV after 60 min",
    "exited with code 1 after 90 s",
  ]);
});

test("the deploy in flight is told with its age and stage", () => {
  const pool = rest(1);
  assert.equal(ask(pool).deploying, undefined);
  pool.deploy("d");
  pool.pass(12);
  assert.deepEqual(ask(pool).deploying, { id: "d", seconds: 12, stage: "booting" });
  pool.online(2);
  assert.equal(ask(pool).deploying?.stage, "leaving");
  pool.exit(1);
  assert.deepEqual([ask(pool).deploy, ask(pool).deploying], [undefined, undefined]);
});

test("an abort that names another deploy than the one in flight aborts nothing", () => {
  const pool = rest(1);
  pool.deploy("d");
  pool.tell({ type: "abortDeploy", call: 90, id: "c" });
  assert.equal(pool.answer(90), "NoDeployInProgress");
  assert.equal(ask(pool).deploying?.stage, "booting");
  pool.tell({ type: "abortDeploy", call: 91, id: "d" });
  assert.equal(ask(pool).deploying?.stage, "destroying");
});
