/** Deploys: from one generation to the next, or back to where it was. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { drive, expectLines, rest } from "./pool-driver.js";

test("a deploy with the same count asks the old ones to go only when every new one is online", () => {
  const pool = rest(2);
  const call = pool.deploy("d");
  pool.online(3);
  expectLines(pool, "SpawnNew 1 2 0 0; SpawnNew 2 2 0 0; NewOnline 1 2 0 1");
  assert.deepEqual(pool.takeOrders(), ["fork 3 slot 0 generation 2 /d", "fork 4 slot 1 generation 2 /d"]);
  pool.online(4);
  expectLines(pool, "NewOnline 0 2 0 2; ShutdownOld 0 1 1 2; ShutdownOld 0 0 2 2");
  assert.deepEqual(pool.takeOrders(), ["serving 2 with 2", "shutdown 1", "shutdown 2"]);
  pool.exit(2);
  assert.equal(pool.answer(call), undefined);
  pool.exit(1);
  expectLines(pool, "OldExit 0 0 1 2; OldExit 0 0 0 2; Ready 0 2 0 0");
  assert.deepEqual(pool.answer(call), {
    deploy: "d",
    outcome: "done",
    counts: { booting: 0, online: 2, dying: 0, new_online: 0 },
    killed: 0,
  });
  assert.deepEqual(pool.timers(), []);
});

test("a deploy goes up", () => {
  const pool = rest(1);
  pool.deploy("d", 3);
  pool.online(2, 3, 4);
  pool.exit(1);
  expectLines(
    pool,
    `SpawnNew 1 1 0 0; SpawnNew 2 1 0 0; SpawnNew 3 1 0 0; NewOnline 2 1 0 1; NewOnline 1 1 0 2; NewOnline 0 1 0 3;
     ShutdownOld 0 0 1 3; OldExit 0 0 0 3; Ready 0 3 0 0`,
  );
  assert.deepEqual(pool.slots(), ["2:0:online", "3:1:online", "4:2:online"]);
});

test("a deploy goes down, and the count holds from then on", () => {
  const pool = rest(3);
  pool.deploy("d", 1);
  pool.online(4);
  for (const id of [1, 2, 3]) pool.exit(id);
  expectLines(
    pool,
    `SpawnNew 1 3 0 0; NewOnline 0 3 0 1; ShutdownOld 0 2 1 1; ShutdownOld 0 1 2 1; ShutdownOld 0 0 3 1;
     OldExit 0 0 2 1; OldExit 0 0 1 1; OldExit 0 0 0 1; Ready 0 1 0 0`,
  );
  pool.exit(4);
  pool.online(5);
  expectLines(pool, "WorkerDeath 0 0 0 0; SpawnNew 1 0 0 0; WorkerOnline 0 1 0 0; Ready 0 1 0 0");
  pool.deploy("e");
  assert.deepEqual(pool.slots(), ["5:0:online", "6:0:booting"]);
});

test("a replacement runs its generation's launch, also while a deploy is in flight", () => {
  const pool = rest(1);
  pool.deploy("d");
  pool.exit(1);
  assert.deepEqual(pool.takeOrders(), ["fork 2 slot 0 generation 2 /d", "fork 3 slot 0 generation 1 /v1"]);
  pool.online(2);
  pool.exit(2);
  assert.equal(pool.takeOrders().at(-1), "fork 4 slot 0 generation 2 /d");
});

test("one new worker that dies fails the deploy, and leaves launch, count and workers as they were", () => {
  const pool = rest(2);
  const before = pool.serving();
  const call = pool.deploy("d", 3);
  pool.online(3);
  pool.takeLines();
  pool.takeOrders();
  pool.exit(4, "exited with code 1");
  pool.exit(3);
  pool.exit(5);
  expectLines(
    pool,
    "NewDeath 1 2 0 1; DestroyNew 1 2 1 0; DestroyNew 0 2 2 0; NewDestroyed 0 2 1 0; NewDestroyed 0 2 0 0; DeployFailed 0 2 0 0; Ready 0 2 0 0",
  );
  assert.deepEqual(pool.takeOrders(), ["kill 3", "kill 5"]);
  assert.equal(pool.outcome(call), "failed");
  assert.equal(pool.reason(call), "worker 1 exited with code 1 before it was online");
  assert.equal(pool.culprit(call), 4);
  assert.equal(pool.serving(), before);
  assert.deepEqual(pool.slots(), ["1:0:online", "2:1:online"]);
  pool.exit(1);
  assert.deepEqual(pool.takeOrders(), ["fork 6 slot 0 generation 1 /v1"]);
});

test("a new worker that says offline before the take-over fails the deploy", () => {
  const pool = rest(1);
  const call = pool.deploy("d", 2);
  pool.online(2);
  pool.offline(2);
  pool.exit(2);
  pool.exit(3);
  assert.equal(pool.outcome(call), "failed");
  assert.equal(pool.culprit(call), 2);
  assert.deepEqual(pool.takeLines().slice(-2), ["DeployFailed 0 1 0 0", "Ready 0 1 0 0"]);
});

test("an abort while new ones boot kills them: the deploy is aborted, for whoever waits", () => {
  const pool = rest(1);
  const before = pool.serving();
  const calls = [pool.deploy("d", 2, 60), pool.attach("d")];
  pool.online(2);
  pool.takeLines();
  calls.push(pool.abort(), pool.abort());
  assert.deepEqual(pool.timers(), ["waiting"]);
  pool.exit(2);
  pool.exit(3);
  expectLines(
    pool,
    "DestroyNew 1 1 1 0; DestroyNew 0 1 2 0; NewDestroyed 0 1 1 0; NewDestroyed 0 1 0 0; Ready 0 1 0 0",
  );
  for (const call of calls) assert.equal(pool.outcome(call), "aborted");
  assert.equal(pool.reason(calls[0] ?? 0), undefined);
  assert.equal(pool.serving(), before);
});

test("an abort while old ones leave kills them: the deploy is done, and says how many it killed", () => {
  const pool = rest(3);
  const calls = [pool.deploy("d", 1)];
  pool.online(4);
  pool.exit(1);
  pool.takeLines();
  pool.takeOrders();
  calls.push(pool.abort(), pool.abort());
  expectLines(pool, "DestroyOld 0 0 2 1; DestroyOld 0 0 2 1");
  assert.deepEqual(pool.takeOrders(), ["kill 2", "kill 3"]);
  pool.exit(2);
  pool.exit(3);
  expectLines(pool, "OldExit 0 0 1 1; OldExit 0 0 0 1; Ready 0 1 0 0");
  for (const call of calls) {
    const answer = pool.answer(call);
    assert.ok(typeof answer === "object" && "killed" in answer);
    assert.deepEqual([answer.outcome, answer.killed], ["done", 2]);
  }
});

test("an abort of a deploy that fails already changes nothing and hears that it failed", () => {
  const pool = rest(1);
  pool.deploy("d", 2);
  pool.exit(2);
  pool.takeLines();
  const call = pool.abort();
  assert.deepEqual(pool.takeLines(), []);
  pool.exit(3);
  assert.equal(pool.outcome(call), "failed");
});

test("without a deploy there is nothing to abort: at rest, in boot, in a stop", () => {
  const pool = drive();
  assert.equal(pool.answer(pool.abort()), "NoDeployInProgress");
  pool.start(1);
  assert.equal(pool.answer(pool.abort()), "NoDeployInProgress");
  pool.online(1);
  assert.equal(pool.answer(pool.abort()), "NoDeployInProgress");
  pool.stop();
  assert.equal(pool.answer(pool.abort()), "NoDeployInProgress");
});

test("a timeout while new ones boot kills them and names those that were late", () => {
  const pool = rest(2);
  const call = pool.deploy("d", 3, 10);
  pool.online(4);
  pool.takeLines();
  assert.equal(pool.timer("deploy"), 10);
  pool.fire("deploy");
  for (const id of [3, 4, 5]) pool.exit(id);
  expectLines(
    pool,
    `Timeout 2 2 0 1; DestroyNew 2 2 1 0; DestroyNew 1 2 2 0; DestroyNew 0 2 3 0;
     NewDestroyed 0 2 2 0; NewDestroyed 0 2 1 0; NewDestroyed 0 2 0 0; DeployFailed 0 2 0 0;
     Ready 0 2 0 0`,
  );
  assert.equal(pool.outcome(call), "failed");
  assert.equal(pool.reason(call), "timed out while waiting for workers 0, 2 to be online");
});

test("a timeout while old ones leave kills them, and the deploy is done", () => {
  const pool = rest(2);
  const call = pool.deploy("d", 1, 10);
  pool.online(3);
  pool.takeLines();
  pool.fire("deploy");
  pool.exit(1);
  pool.exit(2);
  expectLines(
    pool,
    "Timeout 0 0 2 1; DestroyOld 0 0 2 1; DestroyOld 0 0 2 1; OldExit 0 0 1 1; OldExit 0 0 0 1; Ready 0 1 0 0",
  );
  assert.equal(pool.outcome(call), "done");
});

test("a timeout while new ones are killed already, or after the end, says nothing", () => {
  const pool = rest(1);
  pool.deploy("d", 1, 10);
  pool.abort();
  pool.takeLines();
  const timer = { kind: "deploy", generation: 2 } as const;
  pool.tell({ type: "timer", timer });
  assert.deepEqual(pool.takeLines(), []);
  pool.exit(2);
  pool.deploy("e", 1, 10);
  pool.takeLines();
  pool.tell({ type: "timer", timer });
  assert.deepEqual(pool.takeLines(), []);
});
