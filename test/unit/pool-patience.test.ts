/** --shutdown-timeout: a worker that was told to go and stays is killed, and nothing else changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { drive, expectLines, makeLaunch } from "./pool-driver.js";

const drain = { grace: 10, timeout: 30, kill: 5 };

function restWithPatience() {
  const pool = drive();
  pool.tell({
    type: "start",
    call: 900,
    launch: makeLaunch("/v1"),
    workerCount: 1,
    generation: 1,
    resume: false,
    drain,
  });
  pool.online(1);
  pool.pass(3600);
  pool.takeLines();
  pool.takeOrders();
  return pool;
}

test("the time to leave counts from when the application was told", () => {
  const pool = restWithPatience();
  const deploy = pool.deploy("two");
  pool.online(2);
  assert.equal(pool.timer("patience"), 45, "until then, from the longest drain");
  pool.tell({ type: "told", worker: 1 });
  assert.equal(pool.timer("patience"), 5);
  pool.takeLines();
  pool.takeOrders();
  pool.fire("patience");
  assert.deepEqual(pool.takeOrders(), ["kill 1"]);
  pool.exit(1, "was killed by SIGKILL");
  expectLines(pool, "DestroyOld 0 0 1 1; OldExit 0 0 0 1; Ready 0 1 0 0");
  assert.equal(pool.outcome(deploy), "done");
  assert.deepEqual(pool.answer(deploy), {
    deploy: "two",
    outcome: "done",
    counts: { booting: 0, online: 1, dying: 0, new_online: 0 },
    killed: 1,
  });
});

test("a worker that leaves in time takes its timer along", () => {
  const pool = restWithPatience();
  pool.offline(1);
  assert.equal(pool.timer("patience"), 45);
  pool.exit(1);
  assert.equal(pool.timer("patience"), undefined);
});

test("a deploy and a stop change the times for those that they ask to go, and for nobody else", () => {
  const pool = restWithPatience();
  pool.tell({
    type: "deploy",
    call: 901,
    id: "two",
    launch: makeLaunch("/v2"),
    workerCount: 0,
    timeout: null,
    drain: { kill: null },
  });
  pool.online(2);
  assert.equal(pool.timer("patience"), undefined);
  pool.exit(1);
  pool.tell({ type: "stop", call: 902, timeout: null, drain: { grace: 0, timeout: 1, kill: 2 } });
  assert.equal(pool.timer("patience"), 3);
});

test("without a time to leave nobody is killed", () => {
  const pool = drive();
  pool.start(1);
  pool.online(1);
  pool.offline(1);
  pool.tell({ type: "told", worker: 1 });
  assert.deepEqual(pool.timers(), []);
});
