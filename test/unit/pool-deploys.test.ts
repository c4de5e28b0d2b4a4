/** Deploys that meet each other, crashes, and callers who come late. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { drive, expectLines, rest } from "./pool-driver.js";

test("a second deploy is refused with the name of the first, at every stage", () => {
  const pool = rest(1);
  const call = pool.deploy("d");
  assert.equal(pool.answer(pool.deploy("e")), "DeployInProgress");
  pool.online(2);
  assert.equal(pool.answer(pool.deploy("e")), "DeployInProgress");
  pool.exit(1);
  assert.equal(pool.outcome(call), "done");
  pool.deploy("f");
  pool.abort();
  assert.equal(pool.answer(pool.deploy("e")), "DeployInProgress");
});

test("a deploy before the start, in boot, in a stop and after it is refused by name", () => {
  const pool = drive();
  assert.equal(pool.answer(pool.deploy("d")), "NotStarted");
  pool.start(1);
  assert.equal(pool.answer(pool.deploy("d")), "StillBooting");
  pool.online(1);
  pool.stop();
  assert.equal(pool.answer(pool.deploy("d")), "ShuttingDown");
  pool.exit(1);
  assert.equal(pool.answer(pool.deploy("d")), "ShuttingDown");
});

test("the same deploy id twice is one deploy, in flight and when it has just ended", () => {
  const pool = rest(1);
  const first = pool.deploy("d");
  const second = pool.deploy("d");
  pool.online(2);
  pool.exit(1);
  pool.takeOrders();
  const third = pool.deploy("d");
  assert.deepEqual(pool.takeOrders(), []);
  for (const call of [first, second, third]) assert.equal(pool.outcome(call), "done");
});

test("attachDeploy joins a deploy in flight, knows the last one, and no other", () => {
  const pool = rest(1);
  assert.equal(pool.answer(pool.attach("d")), "UnknownDeploy");
  pool.deploy("d");
  const joined = pool.attach("d");
  assert.equal(pool.answer(pool.attach("")), "UnknownDeploy");
  pool.exit(2);
  assert.equal(pool.outcome(joined), "failed");
  assert.equal(pool.outcome(pool.attach("d")), "failed");
  pool.deploy("e");
  pool.online(3);
  pool.exit(1);
  assert.equal(pool.outcome(pool.attach("e")), "done");
  assert.equal(pool.answer(pool.attach("d")), "UnknownDeploy");
});

test("an old worker that crashes while new ones boot is replaced in its own generation", () => {
  const pool = rest(2);
  pool.deploy("d");
  pool.takeLines();
  pool.exit(1);
  pool.online(5);
  expectLines(pool, "WorkerDeath 2 1 0 0; SpawnNew 3 1 0 0; WorkerOnline 2 2 0 0");
  pool.online(3, 4);
  for (const id of [2, 5]) pool.exit(id);
  expectLines(
    pool,
    `NewOnline 1 2 0 1; NewOnline 0 2 0 2; ShutdownOld 0 1 1 2; ShutdownOld 0 0 2 2;
     OldExit 0 0 1 2; OldExit 0 0 0 2; Ready 0 2 0 0`,
  );
});

test("an old replacement that still boots at the take-over goes with the old ones", () => {
  const pool = rest(1);
  pool.deploy("d");
  pool.exit(1);
  pool.takeLines();
  pool.online(2);
  pool.online(3);
  pool.exit(3);
  expectLines(pool, "NewOnline 1 0 0 1; ShutdownOld 0 0 1 1; OldExit 0 0 0 1; Ready 0 1 0 0");
});

test("an old worker that crashes while new ones are killed is replaced, and the deploy fails as before", () => {
  const pool = rest(1);
  const call = pool.deploy("d", 2);
  pool.exit(2);
  pool.takeLines();
  pool.exit(1);
  pool.exit(3);
  pool.online(4);
  expectLines(
    pool,
    `WorkerDeath 0 0 1 0; SpawnNew 1 0 1 0; NewDestroyed 1 0 0 0; DeployFailed 1 0 0 0;
     WorkerOnline 0 1 0 0; Ready 0 1 0 0`,
  );
  assert.equal(pool.outcome(call), "failed");
});

test("a new worker that crashes while old ones leave is replaced in the new generation", () => {
  const pool = rest(1);
  const call = pool.deploy("d");
  pool.online(2);
  pool.takeLines();
  pool.exit(2);
  pool.online(3);
  pool.exit(1);
  expectLines(
    pool,
    "WorkerDeath 0 0 1 0; SpawnNew 1 0 1 0; WorkerOnline 0 0 1 1; OldExit 0 0 0 1; Ready 0 1 0 0",
  );
  assert.equal(pool.outcome(call), "done");
});

test("a deploy is done when the old ones are gone, also while a replacement boots; Ready comes later", () => {
  const pool = rest(1);
  const call = pool.deploy("d");
  pool.online(2);
  pool.exit(2);
  pool.takeLines();
  pool.exit(1);
  assert.equal(pool.outcome(call), "done");
  pool.online(3);
  expectLines(pool, "OldExit 1 0 0 0; WorkerOnline 0 1 0 0; Ready 0 1 0 0");
});

test("an offline of an old worker while new ones boot retires and replaces it", () => {
  const pool = rest(2);
  pool.deploy("d", 1);
  pool.takeLines();
  pool.takeOrders();
  pool.offline(2);
  assert.deepEqual(pool.takeOrders(), ["shutdown 2", "fork 4 slot 1 generation 1 /v1"]);
  pool.online(3);
  for (const id of [1, 4]) pool.exit(id);
  expectLines(
    pool,
    `WorkerOffline 1 1 1 0; SpawnNew 2 1 1 0; NewOnline 1 1 1 1; ShutdownOld 1 0 2 1; ShutdownOld 0 0 3 1;
     OldExit 0 0 2 1; OldExit 0 0 1 1`,
  );
  pool.exit(2);
  expectLines(pool, "WorkerDeath 0 0 0 1; Ready 0 1 0 0");
});

test("an offline of a new worker while old ones leave retires and replaces it", () => {
  const pool = rest(1);
  pool.deploy("d");
  pool.online(2);
  pool.pass(5);
  pool.takeLines();
  pool.offline(2);
  pool.online(3);
  pool.exit(1);
  expectLines(
    pool,
    "WorkerOffline 0 0 2 0; SpawnNew 1 0 2 0; WorkerOnline 0 0 2 1; OldExit 0 0 1 1; Ready 0 1 1 0",
  );
});

test("callers are told every 5 s whom they wait for: the new ones that boot, are killed, the old ones that leave", () => {
  const pool = rest(2);
  pool.offline(1);
  pool.deploy("d", 2, 60);
  pool.online(4);
  pool.fire("waiting");
  pool.abort();
  pool.fire("waiting");
  pool.exit(4);
  pool.exit(5);
  assert.equal(pool.timer("waiting"), undefined);
  pool.deploy("e", 1);
  pool.online(6);
  pool.offline(6);
  pool.fire("waiting");
  assert.deepEqual(pool.waiting, [[5], [4, 5], [1, 2, 3]]);
});
