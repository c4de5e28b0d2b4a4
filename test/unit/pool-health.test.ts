/** Workers that hang or use too much memory: who is asked, what counts as silence, and what follows from it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { watchVitals } from "../../src/actors/master/vitals.js";
import type { Limits } from "../../src/protocol/types.js";
import { type Driver, expectLines, rest } from "./pool-driver.js";

const MiB = 2 ** 20;
const why = "its event loop was blocked for 30 s (waiting)";

/** At rest since a minute, so that nobody is too young for anything. */
function limited(limits: Limits, workerCount = 1): Driver {
  const pool = rest(workerCount, limits);
  ask(pool);
  return pool;
}

/** Lets the next question come due, and returns who was asked. */
function ask(pool: Driver): string[] {
  pool.fire("check");
  return pool.takeOrders();
}

function pulse(pool: Driver, worker: number, memory = 50 * MiB, inspected = false): void {
  pool.tell({ type: "pulse", worker, memory, inspected });
}

/** The worker misses so many questions. */
function miss(pool: Driver, worker: number, times = 10, share = 1): void {
  for (let count = 0; count < times; count += 1) {
    ask(pool);
    pool.tell({ type: "silent", worker, share, doing: "waiting" });
  }
}

test("nobody is asked without limits, and every three seconds at most with them", () => {
  assert.equal(rest(1).timer("check"), undefined);
  assert.equal(limited({ hang: 30 }).timer("check"), 3);
  assert.equal(limited({ hang: 600 }).timer("check"), 3);
  assert.equal(limited({ hang: 10 }).timer("check"), 1);
  assert.equal(limited({ hang: 1 }).timer("check"), 0.5);
  assert.equal(limited({ memory: 1 }).timer("check"), 3);
});

test("a worker is asked while it serves, not while it boots, nor when its server knows that it has to go", () => {
  const pool = limited({ hang: 30 }, 2);
  assert.deepEqual(ask(pool), ["ping 1", "ping 2"]);
  pool.offline(1);
  pool.takeOrders();
  assert.deepEqual(ask(pool), ["ping 1", "ping 2"]);
  pool.tell({ type: "told", worker: 1 });
  pool.online(3);
  assert.deepEqual(ask(pool), ["ping 2", "ping 3"]);
});

test("one that hangs is replaced, and killed as soon as its replacement is online", () => {
  const pool = limited({ hang: 30 }, 2);
  miss(pool, 1, 9);
  pool.takeLines();
  miss(pool, 1, 1);
  assert.deepEqual(pool.takeOrders(), ["shutdown 1", "fork 3 slot 0 generation 1 /v1"]);
  expectLines(pool, "WorkerOffline 0 1 1 0; SpawnNew 1 1 1 0");
  assert.deepEqual(pool.takeDetails(), [why]);
  pool.online(3);
  assert.deepEqual(pool.takeOrders(), ["kill 1"]);
  pool.exit(1, "was killed by SIGKILL");
  expectLines(pool, "WorkerOnline 0 2 1 0; DestroyOld 0 2 1 0; Ready 0 2 1 0; WorkerDeath 0 2 0 0");
  assert.deepEqual(pool.takeDeaths(), [{ reason: `was killed by SIGKILL: ${why}`, seconds: 3630 }]);
});

test("it is a failure: another hang is backed off", () => {
  const pool = limited({ hang: 30 });
  miss(pool, 1);
  pool.online(2);
  miss(pool, 2);
  assert.equal(pool.timer("slot"), 1);
});

test("an answer in between makes good for all silence before", () => {
  const pool = limited({ hang: 30 });
  miss(pool, 1, 9);
  pulse(pool, 1);
  miss(pool, 1, 9);
  assert.deepEqual(pool.slots(), ["1:0:online"]);
});

test("one that comes to itself after it was given up leaves like any other", () => {
  const pool = limited({ hang: 30 });
  miss(pool, 1);
  pulse(pool, 1);
  pool.online(2);
  assert.ok(!pool.takeOrders().includes("kill 1"));
  pool.exit(1);
  assert.deepEqual(pool.takeDeaths(), []);
});

test("what a process that is kept from running says nothing counts by what it gets", () => {
  const pool = limited({ hang: 30 });
  miss(pool, 1, 19, 0.5);
  assert.deepEqual(pool.slots(), ["1:0:online"]);
  miss(pool, 1, 1, 0.5);
  assert.deepEqual(pool.slots(), ["1:0:dying", "2:0:booting"]);
});

test("a master that was held up itself holds nobody's silence against him", () => {
  const pool = limited({ hang: 30 });
  miss(pool, 1, 9);
  pool.pass(7);
  pool.fire("check");
  assert.deepEqual(pool.takeOrders().at(-1), "ping 1 with amends");
  miss(pool, 1, 9);
  assert.deepEqual(pool.slots(), ["1:0:online"]);
});

test("one that a debugger may hold is left alone", () => {
  const pool = limited({ hang: 30 });
  pulse(pool, 1, 0, true);
  miss(pool, 1, 30);
  assert.deepEqual(pool.slots(), ["1:0:online"]);
  pulse(pool, 1, 0, false);
  miss(pool, 1, 10);
  assert.deepEqual(pool.slots(), ["1:0:dying", "2:0:booting"]);
});

test("a new worker that hangs before the take-over fails its deploy", () => {
  const pool = rest(2, { hang: 30 });
  const call = pool.deploy("d");
  pool.online(3);
  miss(pool, 3);
  assert.equal(pool.outcome(call), undefined);
  assert.deepEqual(pool.takeOrders().slice(-2), ["kill 3", "kill 4"]);
  pool.exit(3);
  pool.exit(4);
  assert.equal(pool.reason(call), `worker 0 hung before its generation had taken over: ${why}`);
});

test("an old worker that hangs is killed when it cannot even be told, and counted", () => {
  const pool = limited({ hang: 30 });
  const call = pool.deploy("d");
  pool.online(2);
  miss(pool, 1, 9);
  pulse(pool, 2);
  assert.ok(!pool.takeOrders().includes("kill 1"));
  miss(pool, 1, 1);
  assert.deepEqual(pool.takeOrders(), ["kill 1"]);
  pool.exit(1, "was killed by SIGKILL");
  assert.equal(pool.outcome(call), "done");
  assert.deepEqual(
    { ...(pool.answer(call) as object), counts: 0 },
    {
      deploy: "d",
      outcome: "done",
      counts: 0,
      killed: 1,
    },
  );
});

test("a stop does not wait for a worker that hangs", () => {
  const pool = limited({ hang: 30 });
  const call = pool.stop();
  miss(pool, 1);
  assert.deepEqual(pool.takeOrders().at(-1), "kill 1");
  pool.exit(1, "was killed by SIGKILL");
  assert.deepEqual(pool.answer(call), {});
});

test("one that uses too much goes when its replacement is online", () => {
  const pool = limited({ memory: 512 * MiB }, 2);
  pulse(pool, 1, 512 * MiB);
  assert.deepEqual(pool.takeOrders(), []);
  pulse(pool, 1, 612 * MiB);
  assert.deepEqual(pool.takeOrders(), ["fork 3 slot 0 generation 1 /v1"]);
  pool.takeLines();
  pool.online(3);
  assert.deepEqual(pool.takeOrders(), ["shutdown 1"]);
  pool.exit(1);
  expectLines(pool, "WorkerOnline 0 3 0 0; ShutdownOld 0 2 1 0; Ready 0 2 1 0; OldExit 0 2 0 0");
  assert.deepEqual(pool.takeDetails(), ["used 612 MiB of memory, more than 512 MiB"]);
});

test("one at a time, ten seconds apart, and none that is younger than that", () => {
  const pool = limited({ memory: 512 * MiB }, 2);
  pulse(pool, 1, 600 * MiB);
  pulse(pool, 2, 600 * MiB);
  assert.deepEqual(pool.takeOrders(), ["fork 3 slot 0 generation 1 /v1"]);
  pool.online(3);
  pool.takeOrders();
  pool.pass(9.9);
  pulse(pool, 2, 600 * MiB);
  pulse(pool, 3, 600 * MiB);
  assert.deepEqual(pool.takeOrders(), []);
  pool.pass(0.1);
  pulse(pool, 3, 600 * MiB);
  assert.deepEqual(pool.takeOrders(), ["fork 4 slot 0 generation 1 /v1"]);
});

test("while it waits it serves; if its replacement dies it stays, if it dies itself the replacement is there", () => {
  const pool = limited({ memory: 512 * MiB }, 1);
  pulse(pool, 1, 600 * MiB);
  pool.exit(2, "exited with code 1");
  assert.deepEqual(pool.slots(), ["1:0:online"]);
  pool.pass(10);
  pulse(pool, 1, 600 * MiB);
  assert.deepEqual(pool.slots(), ["1:0:online", "3:0:booting"]);
  pool.exit(1, "was killed by SIGKILL");
  pool.online(3);
  assert.deepEqual(pool.slots(), ["3:0:online"]);
});

test("nobody is replaced for his memory during a deploy", () => {
  const pool = limited({ memory: 512 * MiB }, 1);
  pool.deploy("d");
  pool.takeOrders();
  pulse(pool, 1, 600 * MiB);
  assert.deepEqual(pool.takeOrders(), []);
});

test("what a silent process does is read from its state", async () => {
  let [state, ticks] = ["R", 0];
  const look = watchVitals(1, () => `1 (a) b) ${state} 0 0 0 0 0 0 0 0 0 0 ${ticks} 0 0`);
  assert.equal(look().share, 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(look().share, 0, "it wants to run and is not let");
  state = "S";
  assert.deepEqual(look(), { share: 1, doing: "waiting" });
  state = "t";
  assert.deepEqual(look(), { share: 0, doing: "it is being traced" });
  state = "T";
  assert.deepEqual(look(), { share: 1, doing: "it is stopped" });
  state = "R";
  ticks += 1000;
  assert.deepEqual(look(), { share: 1, doing: "using 100 % of a processor" });
  assert.equal(watchVitals(1, () => undefined)().share, 1);
});
