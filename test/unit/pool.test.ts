/** Start, status, crashes and offline at rest: what the pool prints, orders and answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { drive, expectLines, rest } from "./pool-driver.js";

test("a start of one worker says Bootup, SpawnNew, NewOnline, Ready and is ready", () => {
  const pool = drive();
  const call = pool.start(1);
  assert.equal(pool.answer(call), undefined);
  pool.online(1);
  expectLines(pool, "Bootup 0 0 0 0; SpawnNew 1 0 0 0; NewOnline 0 0 0 1; Ready 0 1 0 0");
  assert.deepEqual(pool.takeOrders(), ["fork 1 slot 0 generation 1 /v1", "serving 1 with 1"]);
  assert.equal(pool.outcome(call), "ready");
  assert.deepEqual(pool.timers(), []);
});

test("a start of five forks all at once and is ready when the last is online", () => {
  const pool = drive();
  const call = pool.start(5);
  pool.online(3, 1, 5, 2);
  assert.equal(pool.answer(call), undefined);
  pool.online(4);
  expectLines(
    pool,
    `Bootup 0 0 0 0; SpawnNew 1 0 0 0; SpawnNew 2 0 0 0; SpawnNew 3 0 0 0; SpawnNew 4 0 0 0; SpawnNew 5 0 0 0;
     NewOnline 4 0 0 1; NewOnline 3 0 0 2; NewOnline 2 0 0 3; NewOnline 1 0 0 4; NewOnline 0 0 0 5; Ready 0 5 0 0`,
  );
  assert.equal(pool.outcome(call), "ready");
});

test("the first death in a boot kills the others, and the start fails when the last is gone", () => {
  const pool = drive();
  const call = pool.start(3);
  pool.online(1);
  pool.takeLines();
  pool.takeOrders();
  pool.exit(2, "exited with code 1");
  expectLines(pool, "NewDeath 1 0 0 1; DestroyNew 1 0 1 0; DestroyNew 0 0 2 0");
  assert.deepEqual(pool.takeOrders(), ["kill 1", "kill 3"]);
  pool.online(3);
  pool.exit(3);
  assert.equal(pool.answer(call), undefined);
  pool.exit(1);
  expectLines(pool, "NewDestroyed 0 0 1 0; NewDestroyed 0 0 0 0");
  assert.equal(pool.outcome(call), "failed");
  assert.equal(pool.reason(call), "worker 1 exited with code 1 before it was online");
  assert.equal(pool.culprit(call), 2);
  assert.deepEqual(pool.takeOrders(), ["end"]);
});

test("a new worker that dies after its online, or says offline, fails the boot, too", () => {
  const died = drive();
  const call = died.start(2);
  died.online(1);
  died.exit(1, "was killed by SIGSEGV");
  assert.equal(died.takeLines().at(-1), "DestroyNew 0 0 1 0");
  died.exit(2);
  assert.equal(died.reason(call), "worker 0 was killed by SIGSEGV before its generation had taken over");
  const left = drive();
  const other = left.start(1);
  left.offline(1);
  left.exit(1, "was killed by SIGKILL");
  expectLines(left, "Bootup 0 0 0 0; SpawnNew 1 0 0 0; DestroyNew 0 0 1 0; NewDestroyed 0 0 0 0");
  assert.equal(left.reason(other), "worker 0 declared itself offline before its generation had taken over");
});

test("a master that resumes is ready at once and fills its slots like replacements", () => {
  const pool = drive();
  const call = pool.start(2, true);
  assert.equal(pool.outcome(call), "ready");
  pool.exit(1, "exited with code 1");
  pool.online(2, 3);
  expectLines(
    pool,
    `Bootup 0 0 0 0; SpawnNew 1 0 0 0; SpawnNew 2 0 0 0; WorkerDeath 1 0 0 0; SpawnNew 2 0 0 0;
     WorkerOnline 1 1 0 0; WorkerOnline 0 2 0 0; Ready 0 2 0 0`,
  );
  assert.equal(pool.phase(), "rest");
});

test("a second start is refused", () => {
  const pool = rest(1);
  assert.equal(pool.answer(pool.start(1)), "AlreadyRunning");
});

test("a crash is replaced at once in its slot, and Ready follows", () => {
  const pool = rest(3);
  pool.exit(2, "exited with code 7");
  assert.deepEqual(pool.takeOrders(), ["fork 4 slot 1 generation 1 /v1"]);
  assert.deepEqual(pool.takeDetails().slice(-1), ["exited with code 7 after 60 min"]);
  pool.online(4);
  expectLines(pool, "WorkerDeath 0 2 0 0; SpawnNew 1 2 0 0; WorkerOnline 0 3 0 0; Ready 0 3 0 0");
});

test("an offline retires the worker, replaces it, and lets it finish", () => {
  const pool = rest(2);
  pool.offline(1);
  assert.deepEqual(pool.takeOrders(), ["shutdown 1", "fork 3 slot 0 generation 1 /v1"]);
  pool.online(3);
  pool.exit(1);
  expectLines(
    pool,
    "WorkerOffline 0 1 1 0; SpawnNew 1 1 1 0; WorkerOnline 0 2 1 0; Ready 0 2 1 0; WorkerDeath 0 2 0 0",
  );
});

test("a second offline, one while dying and one of a worker that is gone are ignored", () => {
  const pool = rest(1);
  pool.offline(1);
  pool.takeLines();
  pool.offline(1);
  pool.exit(1);
  pool.offline(1);
  pool.exit(1);
  expectLines(pool, "WorkerDeath 1 0 0 0");
  pool.stop();
  pool.offline(2);
  expectLines(pool, "ShutdownOld 0 0 1 0");
});

test("an offline of a replacement that still boots counts like its death", () => {
  const pool = rest(1);
  pool.exit(1);
  pool.takeLines();
  pool.takeOrders();
  pool.offline(2);
  assert.deepEqual(pool.takeOrders(), ["kill 2"]);
  assert.equal(pool.timer("slot"), 1);
  assert.deepEqual(pool.takeDetails().slice(-1), ["failure 2 in a row, next try in about 1 s"]);
  pool.exit(2);
  expectLines(pool, "WorkerOffline 0 0 1 0; WorkerDeath 0 0 0 0");
  pool.fire("slot");
  expectLines(pool, "SpawnNew 1 0 0 0");
});

test("an online of a worker that is asked to go, is online or is gone changes nothing", () => {
  const pool = rest(1);
  pool.online(1);
  pool.exit(1);
  pool.takeLines();
  pool.online(1);
  pool.stop();
  pool.takeLines();
  pool.online(2);
  assert.deepEqual(pool.takeLines(), []);
  assert.deepEqual(pool.slots(), ["2:0:dying"]);
});

test("status names the phase, the deploy and each worker, at any moment", () => {
  const pool = drive();
  const phases: unknown[] = [];
  const look = (): void => {
    const answer = pool.answer(pool.status());
    assert.ok(typeof answer === "object" && "phase" in answer);
    phases.push(`${answer.phase} ${answer.waitingFor} ${answer.deploy ?? "-"} ${answer.workers.length}`);
  };
  look();
  pool.start(1);
  look();
  pool.online(1);
  look();
  pool.deploy("d");
  look();
  pool.online(2);
  look();
  pool.exit(1);
  pool.exit(2);
  look();
  pool.stop();
  look();
  pool.exit(3);
  look();
  assert.deepEqual(phases, [
    "booting null - 0",
    "booting new - 1",
    "online null - 1",
    "deploying new d 2",
    "deploying old d 2",
    "online null - 1",
    "stopping shutdown - 1",
    "stopping null - 0",
  ]);
  assert.equal(pool.takeLines().filter((line) => line.startsWith("Status")).length, 8);
});

test("status tells how long a worker is online, whenever its take-over was complete", () => {
  const pool = rest(1);
  pool.deploy("d");
  pool.online(2);
  pool.pass(30);
  pool.exit(1);
  const answer = pool.answer(pool.status());
  assert.ok(typeof answer === "object" && "workers" in answer);
  assert.deepEqual(answer.workers, [
    { id: 2, slot: 0, generation: 2, status: "online", seconds: 30, restarts: 0 },
  ]);
});

test("whoever waits for a boot is told every 5 s for whom", () => {
  const pool = drive();
  pool.start(3);
  pool.online(2);
  pool.fire("waiting");
  pool.online(1);
  pool.fire("waiting");
  assert.deepEqual(pool.waiting, [[1, 3], [3]]);
  assert.equal(pool.timer("waiting"), 5);
});
