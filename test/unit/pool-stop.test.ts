/** The stop: at any moment, joined and shortened by later ones. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { drive, expectLines, rest } from "./pool-driver.js";

test("a stop at rest asks every worker to go and ends when the last is gone", () => {
  const pool = rest(2);
  const call = pool.stop();
  assert.deepEqual(pool.takeOrders(), ["shutdown 1", "shutdown 2"]);
  pool.exit(2);
  assert.equal(pool.answer(call), undefined);
  pool.exit(1);
  expectLines(pool, "ShutdownOld 0 1 1 0; ShutdownOld 0 0 2 0; OldExit 0 0 1 0; OldExit 0 0 0 0");
  assert.deepEqual(pool.answer(call), {});
  assert.deepEqual(pool.takeOrders(), ["end"]);
  assert.deepEqual(pool.timers(), []);
});

test("a stop's timeout kills whoever is left", () => {
  const pool = rest(3);
  const call = pool.stop(10);
  pool.exit(1);
  pool.takeLines();
  pool.takeOrders();
  pool.fire("stop");
  assert.deepEqual(pool.takeOrders(), ["kill 2", "kill 3"]);
  pool.exit(2);
  pool.exit(3);
  expectLines(
    pool,
    "Timeout 0 0 2 0; DestroyOld 0 0 2 0; DestroyOld 0 0 2 0; OldExit 0 0 1 0; OldExit 0 0 0 0",
  );
  assert.deepEqual(pool.answer(call), {});
});

test("a second stop joins the first, and may shorten but never lengthen it", () => {
  const pool = rest(1);
  const calls = [pool.stop()];
  assert.equal(pool.timer("stop"), undefined);
  calls.push(pool.stop(30));
  assert.equal(pool.timer("stop"), 30);
  calls.push(pool.stop(60), pool.stop());
  assert.equal(pool.timer("stop"), 30);
  pool.pass(5);
  calls.push(pool.stop(1));
  assert.equal(pool.timer("stop"), 1);
  pool.takeLines();
  pool.fire("stop");
  calls.push(pool.stop(1));
  assert.equal(pool.timer("stop"), undefined);
  pool.exit(1);
  expectLines(pool, "Timeout 0 0 1 0; DestroyOld 0 0 1 0; OldExit 0 0 0 0");
  for (const call of calls) assert.deepEqual(pool.answer(call), {});
});

test("a stop in boot rolls the start back, which was stopped", () => {
  const pool = drive();
  const start = pool.start(2);
  pool.online(1);
  pool.takeLines();
  const stop = pool.stop();
  assert.equal(pool.outcome(start), "stopped");
  assert.equal(pool.reason(start), "the server was stopped");
  pool.exit(2, "exited with code 1");
  pool.exit(1);
  expectLines(pool, "ShutdownOld 0 0 1 1; ShutdownOld 0 0 2 0; OldExit 0 0 1 0; OldExit 0 0 0 0");
  assert.deepEqual(pool.answer(stop), {});
});

test("a stop while new workers boot retires both generations, and the deploy failed", () => {
  const pool = rest(1);
  const deploy = pool.deploy("d", 2, 60);
  pool.online(2);
  pool.takeLines();
  const stop = pool.stop();
  assert.equal(pool.outcome(deploy), "failed");
  assert.equal(pool.reason(deploy), "the server was stopped");
  assert.deepEqual(pool.timers(), ["waiting"]);
  for (const id of [1, 2, 3]) pool.exit(id);
  expectLines(
    pool,
    `ShutdownOld 0 1 1 1; ShutdownOld 0 0 2 1; ShutdownOld 0 0 3 0;
     OldExit 0 0 2 0; OldExit 0 0 1 0; OldExit 0 0 0 0`,
  );
  assert.deepEqual(pool.answer(stop), {});
  assert.equal(pool.outcome(pool.attach("d")), "failed");
});

test("a stop while new workers are killed leaves the deploy its own reason", () => {
  const pool = rest(1);
  const failed = pool.deploy("d", 2);
  pool.exit(2, "exited with code 1");
  pool.takeLines();
  pool.stop();
  assert.equal(pool.reason(failed), "worker 0 exited with code 1 before it was online");
  pool.exit(3);
  pool.exit(1);
  expectLines(pool, "ShutdownOld 0 0 2 0; NewDestroyed 0 0 1 0; OldExit 0 0 0 0");
  const other = rest(1);
  other.deploy("d");
  const abort = other.abort();
  other.stop();
  assert.equal(other.outcome(abort), "aborted");
});

test("a stop of a boot that has failed already is a failed boot", () => {
  const pool = drive();
  const start = pool.start(2);
  pool.exit(1, "exited with code 1");
  const stop = pool.stop();
  assert.equal(pool.outcome(start), "failed");
  assert.equal(pool.culprit(start), 1);
  pool.exit(2);
  assert.deepEqual(pool.answer(stop), {});
});

test("a stop while old workers leave retires the new ones, too", () => {
  const pool = rest(1);
  pool.deploy("d");
  pool.online(2);
  pool.takeLines();
  const stop = pool.stop();
  pool.exit(1);
  pool.exit(2);
  expectLines(pool, "ShutdownOld 0 0 2 0; OldExit 0 0 1 0; OldExit 0 0 0 0");
  assert.deepEqual(pool.answer(stop), {});
});

test("nobody is replaced in a stop, and a worker that is dying already is asked only once", () => {
  const pool = rest(2);
  pool.offline(1);
  pool.takeOrders();
  pool.takeLines();
  pool.stop();
  assert.deepEqual(pool.takeOrders(), ["shutdown 3", "shutdown 2"]);
  for (const id of [1, 2, 3]) pool.exit(id, "exited with code 1");
  expectLines(
    pool,
    "ShutdownOld 0 1 2 0; ShutdownOld 0 0 3 0; WorkerDeath 0 0 2 0; OldExit 0 0 1 0; OldExit 0 0 0 0",
  );
});

test("a stop tells every 5 s who is left", () => {
  const pool = rest(2);
  pool.stop();
  pool.fire("waiting");
  pool.exit(1);
  pool.fire("waiting");
  assert.deepEqual(pool.waiting, [[1, 2], [2]]);
});

test("a stop of a pool that was never started, or has ended, is answered at once; it ends once", () => {
  const pool = drive();
  assert.deepEqual(pool.answer(pool.stop()), {});
  assert.deepEqual(pool.answer(pool.stop(5)), {});
  assert.deepEqual(pool.takeOrders(), ["end"]);
  assert.equal(pool.answer(pool.start(1)), "AlreadyRunning");
});
