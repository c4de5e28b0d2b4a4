/** The daemon's machine: deploys, and what stands in their way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Effect, Refusal } from "../../src/actors/daemon/state.js";
import type { Deploy } from "../../src/protocol/types.js";
import {
  booting,
  deploying,
  gone,
  launch,
  type Machine,
  masterless,
  noCounts,
  opening,
  openMachine,
  other,
  running,
  stopping,
  third,
} from "../support/daemon-machine.js";

const wishes: { readonly of: string; readonly deploy: Deploy; readonly launch: object }[] = [
  { of: "nothing", deploy: {}, launch: {} },
  {
    of: "variables",
    deploy: { env: { COLOUR: "blue", NEW: "1" } },
    launch: { env: { PATH: "/bin", COLOUR: "blue", NEW: "1" } },
  },
  { of: "all variables", deploy: { env: { NEW: "1" }, replaceEnv: true }, launch: { env: { NEW: "1" } } },
  { of: "all variables, without any", deploy: { replaceEnv: true }, launch: {} },
  {
    of: "script and arguments",
    deploy: { script: "/b.js", args: [] },
    launch: { script: "/b.js", args: [] },
  },
  {
    of: "directory and node arguments",
    deploy: { cwd: "/b", nodeArgs: ["-r", "x"] },
    launch: { cwd: "/b", nodeArgs: ["-r", "x"] },
  },
];
for (const { of, deploy, launch: changes } of wishes) {
  test(`a deploy that wishes ${of} resolves the serving launch with that changed`, () => {
    const { realScript: _script, realCwd: _cwd, ...asked } = launch;
    assert.deepEqual(
      running().post({ type: "deploy", call: 5, client: other, deploy: { id: "d", ...deploy } }),
      [{ type: "resolve", call: 5, launch: { ...asked, ...changes } }],
    );
  });
}

test("a deploy goes to the master with what was resolved, and its answer goes back", () => {
  const machine = running();
  const resolved = { ...launch, realScript: "/releases/2/server.js" };
  machine.post({ type: "deploy", call: 5, client: other, deploy: { id: "d", workerCount: 3, timeout: 0 } });
  assert.deepEqual(machine.post({ type: "resolved", call: 5, launch: resolved }), [
    {
      type: "askMaster",
      call: 5,
      ask: { method: "deploy", params: { id: "d", launch: resolved, workerCount: 3, timeout: 0 } },
    },
  ]);
  const result = { deploy: "d", outcome: "done", counts: noCounts, killed: 0 } as const;
  assert.deepEqual(machine.post({ type: "masterAnswered", call: 5, result }), [
    { type: "reply", call: 5, result },
  ]);
  assert.deepEqual(machine.post({ type: "masterAnswered", call: 5, result }), [], "once");
});

test("a deploy builds on the launch that serves, not on one that failed", () => {
  const machine = running();
  const next = { ...launch, env: { ONLY: "2" }, realScript: "/releases/2/server.js" };
  machine.post({
    type: "deploy",
    call: 5,
    client: other,
    deploy: { id: "d", replaceEnv: true, env: next.env },
  });
  machine.post({ type: "resolved", call: 5, launch: next });
  const counts = noCounts;
  machine.post({
    type: "masterAnswered",
    call: 5,
    result: { deploy: "d", outcome: "failed", counts, killed: 0 },
  });
  const again = () => machine.post({ type: "deploy", call: 6, client: other, deploy: { id: "e" } });
  assert.deepEqual(
    again().map((each) => each.type === "resolve" && each.launch.env),
    [launch.env],
  );
  machine.post({ type: "masterServing", serving: { generation: 2, workerCount: 2, launch: next } });
  assert.deepEqual(
    again().map((each) => each.type === "resolve" && each.launch.env),
    [next.env],
  );
});

test("a deploy whose paths cannot be resolved is refused and leaves no trace", () => {
  const machine = running();
  const before = machine.state;
  const refusal: Refusal = { error: "ScriptNotFound", message: "cannot use the script /b.js" };
  machine.post({ type: "deploy", call: 5, client: other, deploy: { id: "d", script: "/b.js" } });
  assert.deepEqual(machine.post({ type: "unresolved", call: 5, refusal }), [
    { type: "refuse", call: 5, refusal },
  ]);
  assert.deepEqual(machine.state, before);
});

test("what the master refuses is refused with its reason", () => {
  const machine = deploying();
  const refusal: Refusal = { error: "DeployInProgress", data: { deploy: "c" } };
  assert.deepEqual(machine.post({ type: "masterRefused", call: 5, refusal }), [
    { type: "refuse", call: 5, refusal },
  ]);
});

test("attach and abort go to the master", () => {
  const machine = running();
  assert.deepEqual(machine.post({ type: "attachDeploy", call: 6, client: other, id: "d" }), [
    { type: "askMaster", call: 6, ask: { method: "attachDeploy", params: { deploy: "d" } } },
  ]);
  assert.deepEqual(machine.post({ type: "abortDeploy", call: 7, client: other }), [
    { type: "askMaster", call: 7, ask: { method: "abortDeploy", params: {} } },
  ]);
});

const obstacles: { readonly when: string; readonly machine: () => Machine; readonly error: string }[] = [
  { when: "before the start", machine: openMachine, error: "NotStarted" },
  { when: "while the files are being opened", machine: opening, error: "StillBooting" },
  { when: "without a master", machine: masterless, error: "MasterLost" },
  { when: "during a stop", machine: stopping, error: "ShuttingDown" },
  { when: "after the end", machine: gone, error: "ShuttingDown" },
];
for (const { when, machine, error } of obstacles) {
  test(`${when} ${error === "MasterLost" ? "" : "a deploy, "}an attach and an abort are refused: ${error}`, () => {
    const refusals = (effects: readonly Effect[]) =>
      effects.map((each) => each.type === "refuse" && [each.call, each.refusal.error]);
    const asked = machine();
    if (error !== "MasterLost")
      assert.deepEqual(
        refusals(asked.post({ type: "deploy", call: 5, client: other, deploy: { id: "d" } })),
        [[5, error]],
      );
    assert.deepEqual(refusals(asked.post({ type: "attachDeploy", call: 6, client: other, id: "d" })), [
      [6, error],
    ]);
    assert.deepEqual(refusals(asked.post({ type: "abortDeploy", call: 7, client: other })), [[7, error]]);
  });
}

test("a deploy without a master starts one at once, whatever time was set for that", () => {
  const machine = masterless();
  const wish = { type: "deploy", call: 5, client: other, deploy: { id: "d" } } as const;
  assert.deepEqual(
    machine.post(wish).map(({ type }) => type),
    ["resolve"],
  );
  assert.deepEqual(
    machine.post({ type: "resolved", call: 5, launch }).map(({ type }) => type),
    ["startMaster", "later", "askMaster"],
  );
  assert.deepEqual(machine.post({ type: "reviveMaster" }), []);
});

test("a deploy during the boot is refused: StillBooting", () => {
  assert.deepEqual(booting().post({ type: "deploy", call: 5, client: other, deploy: { id: "d" } }), [
    { type: "refuse", call: 5, refusal: { error: "StillBooting" } },
  ]);
});

test("a stop between a deploy's call and its paths refuses the deploy", () => {
  const machine = running();
  machine.post(
    { type: "deploy", call: 5, client: other, deploy: { id: "d" } },
    { type: "stop", call: 8, client: third, stop: {} },
  );
  assert.deepEqual(machine.post({ type: "resolved", call: 5, launch }), [
    { type: "refuse", call: 5, refusal: { error: "ShuttingDown" } },
  ]);
});

test("a deploy by SIGHUP that is refused is refused to nobody, for the log", () => {
  assert.deepEqual(stopping().post({ type: "deploy", call: 0, client: 0, deploy: { id: "d" } }), [
    { type: "refuse", call: 0, refusal: { error: "ShuttingDown" } },
  ]);
  const machine = running();
  machine.post({ type: "deploy", call: 0, client: 0, deploy: { id: "d" } });
  const refusal: Refusal = { error: "ScriptNotFound", message: "cannot use the script" };
  assert.deepEqual(machine.post({ type: "unresolved", call: 0, refusal }), [
    { type: "refuse", call: 0, refusal },
  ]);
  machine.post(
    { type: "deploy", call: 0, client: 0, deploy: { id: "e" } },
    { type: "resolved", call: 0, launch },
  );
  // What the daemon itself asks the master is not taken for the deploy's answer.
  assert.deepEqual(machine.post({ type: "masterAnswered", call: -1, result: {} }), []);
  assert.deepEqual(machine.post({ type: "masterRefused", call: 0, refusal: { error: "DeployInProgress" } }), [
    { type: "refuse", call: 0, refusal: { error: "DeployInProgress" } },
  ]);
});
