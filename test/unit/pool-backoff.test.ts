/** The back-off: replacements of a worker that dies again and again are delayed, never given up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Driver, expectLines, rest } from "./pool-driver.js";

/** Lets the only worker fail `times` times; the first of them is worker `id`. */
function failRepeatedly(pool: Driver, times: number, id = 1): void {
  for (let worker = id; worker < id + times; worker += 1) {
    if (pool.timer("slot") !== undefined) pool.fire("slot");
    pool.exit(worker, "exited with code 1");
  }
}

test("delays grow from none over 1, 2, 4… to 60 s, and never end", () => {
  const pool = rest(1);
  const delays = Array.from({ length: 10 }, (_, i) => {
    failRepeatedly(pool, 1, i + 1);
    return pool.timer("slot");
  });
  assert.deepEqual(delays, [undefined, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
  const saying = pool.takeDetails().at(-1);
  assert.equal(saying, "exited with code 1 after 0.0 s; failure 10 in a row, next try in about 60 s");
  pool.fire("slot");
  assert.deepEqual(pool.slots(), ["11:0:booting"]);
});

test("a worker that exits as soon as it boots is forked at most 12 times in a minute, the least jitter given", () => {
  const pool = rest(1);
  let [forks, seconds] = [0, 0];
  for (let worker = 1; ; worker += 1) {
    const held = pool.timer("slot");
    if (held !== undefined) {
      seconds += held * 0.75;
      if (seconds > 60) break;
      pool.fire("slot");
    }
    pool.exit(worker, "exited with code 1");
    forks = pool.takeOrders().length + forks;
  }
  assert.ok(forks >= 5 && forks <= 12, `${forks} forks`);
});

test("a minute online makes good for all failures before", () => {
  const pool = rest(1);
  failRepeatedly(pool, 4);
  pool.fire("slot");
  pool.online(5);
  assert.equal(pool.timer("steady"), 60);
  pool.fire("steady");
  pool.exit(5);
  assert.equal(pool.timer("slot"), undefined);
  assert.deepEqual(pool.slots(), ["6:0:booting"]);
});

test("less than a minute online makes good for nothing", () => {
  const pool = rest(1);
  failRepeatedly(pool, 3);
  pool.fire("slot");
  pool.online(4);
  pool.pass(59);
  pool.exit(4);
  assert.equal(pool.timer("slot"), 4);
  pool.fire("slot");
  pool.online(5);
  pool.tell({ type: "timer", timer: { kind: "steady", worker: 4 } });
  pool.exit(5);
  assert.equal(pool.timer("slot"), 8);
});

test("each slot has a back-off of its own", () => {
  const pool = rest(2);
  pool.exit(1);
  pool.exit(3);
  assert.equal(pool.timer("slot"), 1);
  pool.takeLines();
  pool.exit(2);
  expectLines(pool, "WorkerDeath 0 0 0 0; SpawnNew 1 0 0 0");
});

test("a worker that says offline as soon as it is online is backed off, one that lived a second is not", () => {
  const pool = rest(1);
  pool.offline(1);
  pool.online(2);
  pool.offline(2);
  pool.online(3);
  pool.pass(0.9);
  pool.offline(3);
  assert.equal(pool.timer("slot"), 1);
  pool.fire("slot");
  pool.online(4);
  pool.pass(1);
  pool.takeLines();
  pool.offline(4);
  assert.deepEqual(pool.takeLines().slice(-1), ["SpawnNew 1 0 4 0"]);
});

test("the time as new_online counts: the end of a take-over makes no worker a newcomer", () => {
  const pool = rest(1);
  pool.deploy("d");
  pool.online(2);
  pool.exit(2);
  pool.online(3);
  pool.pass(10);
  pool.exit(1);
  pool.offline(3);
  assert.equal(pool.timer("slot"), undefined);
  assert.deepEqual(pool.slots(), ["3:0:dying", "4:0:booting"]);
});

test("a delay that ends late or twice forks nobody", () => {
  const pool = rest(1);
  failRepeatedly(pool, 2);
  const timer = { kind: "slot", slot: 0, failures: 2 } as const;
  pool.tell({ type: "timer", timer });
  pool.tell({ type: "timer", timer });
  assert.deepEqual(pool.slots(), ["3:0:booting"]);
  pool.exit(3);
  pool.tell({ type: "timer", timer });
  assert.deepEqual(pool.slots(), []);
});

test("a deploy goes through at once from back-off, and its launch starts with a clean slate", () => {
  const pool = rest(1);
  failRepeatedly(pool, 5);
  pool.takeLines();
  const call = pool.deploy("d");
  pool.online(6);
  expectLines(pool, "SpawnNew 1 0 0 0; NewOnline 0 0 0 1; Ready 0 1 0 0");
  assert.equal(pool.outcome(call), "done");
  assert.deepEqual(pool.timers(), []);
  pool.exit(6);
  assert.deepEqual(pool.slots(), ["7:0:booting"]);
});

test("a back-off goes on through a deploy that fails", () => {
  const pool = rest(1);
  failRepeatedly(pool, 3);
  const call = pool.deploy("d");
  pool.exit(4);
  assert.equal(pool.outcome(call), "failed");
  assert.equal(pool.timer("slot"), 2);
  pool.fire("slot");
  assert.deepEqual(pool.slots(), ["5:0:booting"]);
});

test("a stop in back-off ends at once when nobody lives", () => {
  const pool = rest(1);
  failRepeatedly(pool, 2);
  pool.takeLines();
  pool.takeOrders();
  const call = pool.stop();
  assert.deepEqual(pool.answer(call), {});
  assert.deepEqual(pool.takeOrders(), ["end"]);
  assert.deepEqual(pool.timers(), []);
  pool.tell({ type: "timer", timer: { kind: "slot", slot: 0, failures: 2 } });
  assert.deepEqual(pool.takeOrders(), []);
});
