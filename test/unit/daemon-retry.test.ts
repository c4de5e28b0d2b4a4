/** The daemon's machine: a deploy that is asked for again, and one that its caller cancels. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  deploying,
  gone,
  launch,
  masterless,
  noCounts,
  other,
  running,
  third,
} from "../support/daemon-machine.js";

const done = (deploy: string) => ({ deploy, outcome: "done", counts: noCounts, killed: 0 }) as const;
const again = (call: number, id = "d") =>
  ({ type: "deploy", call, client: third, deploy: { id, script: "/gone.js" } }) as const;

test("a deploy in flight is joined, without a look at paths that may be gone by now", () => {
  const machine = deploying();
  assert.deepEqual(machine.post(again(6)), [
    { type: "askMaster", call: 6, ask: { method: "attachDeploy", params: { deploy: "d" } } },
  ]);
});

test("a deploy that has ended is not made again: its result is the answer, also without a master", () => {
  for (const outcome of ["done", "failed", "aborted"] as const) {
    const machine = deploying();
    const result = { ...done("d"), outcome };
    machine.post({ type: "masterAnswered", call: 5, result });
    assert.deepEqual(machine.post(again(6)), [{ type: "reply", call: 6, result }]);
    assert.deepEqual(machine.post({ type: "attachDeploy", call: 7, client: third, id: "d" }), [
      { type: "reply", call: 7, result },
    ]);
    machine.post({ type: "masterExited", how: "was killed by SIGKILL" });
    assert.deepEqual(machine.post(again(8)), [{ type: "reply", call: 8, result }]);
  }
});

test("a deploy that its master took along has failed, and is not made again", () => {
  const machine = deploying();
  machine.post({ type: "masterExited", how: "was killed by SIGKILL" }, { type: "reviveMaster" });
  const [reply] = machine.post(again(6));
  assert.ok(reply?.type === "reply" && "outcome" in reply.result && reply.result.outcome === "failed");
});

test("the results of the last 20 deploys are kept", () => {
  const machine = running();
  for (let count = 1; count <= 21; count++) {
    machine.post(
      { type: "deploy", call: count, client: other, deploy: { id: `d${count}` } },
      { type: "resolved", call: count, launch },
      { type: "masterAnswered", call: count, result: done(`d${count}`) },
    );
  }
  const types = (id: string) => machine.post(again(90, id)).map(({ type }) => type);
  assert.deepEqual(types("d1"), ["resolve"]);
  assert.deepEqual(types("d2"), ["reply"]);
  assert.deepEqual(types("d21"), ["reply"]);
});

test("a deploy that was refused may be tried again under its id", () => {
  const machine = deploying();
  machine.post({ type: "masterRefused", call: 5, refusal: { error: "DeployInProgress" } });
  assert.deepEqual(
    machine.post(again(6)).map(({ type }) => type),
    ["resolve"],
  );
});

test("its caller's cancel aborts the deploy, by its id; the answer is the deploy's own", () => {
  const machine = deploying();
  assert.deepEqual(machine.post({ type: "cancel", call: 5 }), [
    { type: "askMaster", call: -1, ask: { method: "abortDeploy", params: { deploy: "d" } } },
  ]);
  assert.deepEqual(
    machine.post({ type: "masterRefused", call: -1, refusal: { error: "NoDeployInProgress" } }),
    [],
  );
  const result = { ...done("d"), outcome: "aborted" } as const;
  assert.deepEqual(machine.post({ type: "masterAnswered", call: 5, result }), [
    { type: "reply", call: 5, result },
  ]);
});

test("a deploy that is cancelled while its paths are resolved never reaches the master", () => {
  const machine = running();
  machine.post({ type: "deploy", call: 5, client: other, deploy: { id: "d" } });
  const counts = { ...noCounts, online: 2 };
  assert.deepEqual(machine.post({ type: "cancel", call: 5 }), [
    { type: "reply", call: 5, result: { deploy: "d", outcome: "aborted", counts, killed: 0 } },
  ]);
  assert.deepEqual(machine.post({ type: "resolved", call: 5, launch }), []);
});

test("a cancel of anything else, or of nothing, does nothing", () => {
  const machine = deploying();
  machine.post({ type: "attachDeploy", call: 6, client: third, id: "d" });
  machine.post({ type: "watch", call: 7, client: third });
  for (const call of [4, 6, 7, 99]) assert.deepEqual(machine.post({ type: "cancel", call }), []);
  for (const each of [masterless(), gone()]) assert.deepEqual(each.post({ type: "cancel", call: 5 }), []);
});

test("one deploy may be aborted by its id", () => {
  assert.deepEqual(deploying().post({ type: "abortDeploy", call: 6, client: third, id: "d" }), [
    { type: "askMaster", call: 6, ask: { method: "abortDeploy", params: { deploy: "d" } } },
  ]);
});
