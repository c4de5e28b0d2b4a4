/** The daemon's machine: start, stop, deploy, status and who is told what. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Effect, Refusal } from "../../src/actors/daemon/state.js";
import type { Deploy, Status } from "../../src/protocol/types.js";
import {
  booting,
  deploying,
  gone,
  launch,
  type Machine,
  masterless,
  masterStart,
  noCounts,
  opening,
  openMachine,
  other,
  poolEvent,
  running,
  serving,
  start,
  starter,
  stopping,
  third,
  time,
} from "../support/daemon-machine.js";

const ready = { outcome: "ready", counts: { ...noCounts, online: 2 } } as const;
const shutdownEvent = { name: "Shutdown", counts: noCounts, waitingFor: "shutdown" } as const;
const logged = (line: string): Effect => ({ type: "log", line });
const logs = (effects: readonly Effect[]) =>
  effects.flatMap((each) => (each.type === "log" ? [each.line] : []));
const replies = (effects: readonly Effect[]) =>
  effects.filter(({ type }) => type === "reply" || type === "refuse");
const audience = (effects: readonly Effect[]) =>
  effects.flatMap((each) => (each.type === "event" ? each.clients : []));

test("a start opens the files, then runs the first master, and is answered when its workers are online", () => {
  const machine = openMachine();
  assert.deepEqual(machine.post({ type: "start", call: 1, client: starter, start }), [
    { type: "open", start },
  ]);
  assert.deepEqual(machine.post({ type: "opened", launch }), [
    { type: "startMaster", call: 1, start: masterStart },
  ]);
  assert.deepEqual(machine.post({ type: "masterServing", serving }), []);
  assert.deepEqual(machine.post({ type: "masterAnswered", call: 1, result: ready }), [
    { type: "reply", call: 1, result: ready },
  ]);
});

test("a second start is refused, whatever the first one is doing", () => {
  for (const machine of [opening(), booting(), running(), stopping(), gone()]) {
    assert.deepEqual(machine.post({ type: "start", call: 2, client: other, start }), [
      { type: "refuse", call: 2, refusal: { error: "AlreadyRunning" } },
    ]);
  }
});

test("files that cannot be opened end the daemon, which says why", () => {
  const refusal: Refusal = {
    error: "CannotWrite",
    message: "cannot write /run/naught.ipc: permission denied",
  };
  assert.deepEqual(opening().post({ type: "openFailed", refusal }), [
    { type: "refuse", call: 1, refusal },
    { type: "end", exitCode: 1 },
  ]);
});

test("a start that failed is answered when everything is closed again", () => {
  const result = {
    outcome: "failed",
    counts: noCounts,
    failed: { reason: "worker 0 exited with code 1" },
  } as const;
  const machine = booting();
  assert.deepEqual(machine.post({ type: "masterAnswered", call: 1, result }), []);
  assert.deepEqual(machine.post({ type: "masterExited", how: "exited with code 0" }), [
    logged("Shutdown. booting: 0, online: 0, dying: 0, new_online: 0"),
    { type: "event", clients: [starter], event: { ...shutdownEvent, sequence: 1, time } },
    { type: "close" },
  ]);
  assert.deepEqual(machine.post({ type: "closed" }), [
    { type: "reply", call: 1, result },
    { type: "end", exitCode: 1 },
  ]);
});

test("a master that refuses to start is told to stop, and the start is refused with its reason", () => {
  const machine = booting();
  const refusal: Refusal = { error: "BadLaunch", message: "no" };
  assert.deepEqual(machine.post({ type: "masterRefused", call: 1, refusal }), [
    { type: "askMaster", call: -1, ask: { method: "stop", params: {} } },
  ]);
  machine.post({ type: "masterExited", how: "exited with code 0" });
  assert.deepEqual(replies(machine.post({ type: "closed" })), [{ type: "refuse", call: 1, refusal }]);
});

test("a stop during the boot answers the start as stopped, then the stop", () => {
  const machine = booting();
  assert.deepEqual(machine.post({ type: "stop", call: 2, client: other, stop: { timeout: 3 } }), [
    { type: "askMaster", call: -1, ask: { method: "stop", params: { timeout: 3 } } },
  ]);
  const result = {
    outcome: "stopped",
    counts: noCounts,
    failed: { reason: "the server was stopped" },
  } as const;
  assert.deepEqual(machine.post({ type: "masterAnswered", call: 1, result }), []);
  assert.deepEqual(machine.post({ type: "masterAnswered", call: -1, result: {} }), []);
  machine.post({ type: "masterExited", how: "exited with code 0" });
  assert.deepEqual(replies(machine.post({ type: "closed" })), [
    { type: "reply", call: 1, result },
    { type: "reply", call: 2, result: {} },
  ]);
});

test("a stop while the files are being opened starts no master", () => {
  const machine = opening();
  assert.deepEqual(machine.post({ type: "stop", call: 2, client: other, stop: {} }), []);
  assert.deepEqual(machine.post({ type: "opened", launch }), [{ type: "close" }]);
  assert.deepEqual(machine.post({ type: "closed" }), [
    { type: "reply", call: 1, result: { outcome: "stopped", counts: noCounts } },
    { type: "reply", call: 2, result: {} },
    { type: "end", exitCode: 0 },
  ]);
});

test("a stop while the files are being opened in vain is answered all the same", () => {
  const machine = opening();
  machine.post({ type: "stop", call: 2, client: other, stop: {} });
  const refusal: Refusal = { error: "StaleIpc" };
  assert.deepEqual(machine.post({ type: "openFailed", refusal }), [
    { type: "refuse", call: 1, refusal },
    { type: "reply", call: 2, result: {} },
    { type: "end", exitCode: 1 },
  ]);
});

test("a stop before the start ends the daemon, and a start that comes too late was stopped", () => {
  const machine = openMachine();
  assert.deepEqual(machine.post({ type: "stop", call: 0, client: 0, stop: {} }), [
    { type: "reply", call: 0, result: {} },
    { type: "end", exitCode: 0 },
  ]);
  assert.deepEqual(machine.post({ type: "start", call: 1, client: starter, start }), [
    { type: "reply", call: 1, result: { outcome: "stopped", counts: noCounts } },
  ]);
});

test("a stop is answered when the master is gone and everything is closed", () => {
  const machine = running();
  assert.deepEqual(machine.post({ type: "stop", call: 2, client: other, stop: {} }), [
    { type: "askMaster", call: -1, ask: { method: "stop", params: {} } },
  ]);
  assert.deepEqual(machine.post({ type: "masterExited", how: "exited with code 0" }), [
    logged("Shutdown. booting: 0, online: 0, dying: 0, new_online: 0"),
    { type: "event", clients: [other], event: { ...shutdownEvent, sequence: 2, time } },
    { type: "close" },
  ]);
  assert.deepEqual(machine.post({ type: "closed" }), [
    { type: "reply", call: 2, result: {} },
    { type: "end", exitCode: 0 },
  ]);
});

test("a second stop is told that there is a first, may shorten it, and is answered with it", () => {
  const machine = stopping();
  assert.deepEqual(machine.post({ type: "stop", call: 9, client: third, stop: { timeout: 1 } }), [
    { type: "notice", client: third, name: "AlreadyShuttingDown" },
    { type: "askMaster", call: -1, ask: { method: "stop", params: { timeout: 1 } } },
  ]);
  machine.post({ type: "masterExited", how: "exited with code 0" });
  assert.deepEqual(machine.post({ type: "stop", call: 10, client: starter, stop: {} }), [
    { type: "notice", client: starter, name: "AlreadyShuttingDown" },
  ]);
  assert.deepEqual(replies(machine.post({ type: "closed" })), [
    { type: "reply", call: 8, result: {} },
    { type: "reply", call: 9, result: {} },
    { type: "reply", call: 10, result: {} },
  ]);
});

test("a second stop while the files are being opened is told so, too; a second signal is nobody to be told", () => {
  const machine = opening();
  machine.post({ type: "stop", call: 0, client: 0, stop: {} });
  assert.deepEqual(machine.post({ type: "stop", call: 0, client: 0, stop: {} }), []);
  assert.deepEqual(machine.post({ type: "stop", call: 2, client: other, stop: {} }), [
    { type: "notice", client: other, name: "AlreadyShuttingDown" },
  ]);
});

test("after the end a stop is answered, and nothing is done twice", () => {
  assert.deepEqual(gone().post({ type: "stop", call: 20, client: third, stop: {} }), [
    { type: "reply", call: 20, result: {} },
  ]);
  const refused = opening();
  refused.post({ type: "openFailed", refusal: { error: "StaleIpc" } });
  assert.deepEqual(refused.post({ type: "stop", call: 20, client: third, stop: {} }), [
    { type: "reply", call: 20, result: {} },
  ]);
});

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
  test(`${when} a deploy, an attach and an abort are refused: ${error}`, () => {
    const refusals = (effects: readonly Effect[]) =>
      effects.map((each) => each.type === "refuse" && [each.call, each.refusal.error]);
    const asked = machine();
    assert.deepEqual(refusals(asked.post({ type: "deploy", call: 5, client: other, deploy: { id: "d" } })), [
      [5, error],
    ]);
    assert.deepEqual(refusals(asked.post({ type: "attachDeploy", call: 6, client: other, id: "d" })), [
      [6, error],
    ]);
    assert.deepEqual(refusals(asked.post({ type: "abortDeploy", call: 7, client: other })), [[7, error]]);
  });
}

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

test("the master tells the status as long as there is one", () => {
  for (const machine of [booting(), running(), stopping()]) {
    assert.deepEqual(machine.post({ type: "status", call: 4, client: other }), [
      { type: "askMaster", call: 4, ask: { method: "status", params: {} } },
    ]);
    const result: Status = { phase: "online", counts: noCounts, waitingFor: null, workers: [] };
    assert.deepEqual(machine.post({ type: "masterAnswered", call: 4, result }), [
      { type: "reply", call: 4, result },
    ]);
  }
});

test("without a master the machine tells the status itself", () => {
  const ask = (machine: Machine) => machine.post({ type: "status", call: 4, client: other });
  const status = (phase: Status["phase"], waitingFor: Status["waitingFor"]) => [
    { type: "reply", call: 4, result: { phase, counts: noCounts, waitingFor, workers: [] } },
  ];
  assert.deepEqual(ask(openMachine()), [{ type: "refuse", call: 4, refusal: { error: "NotStarted" } }]);
  assert.deepEqual(ask(opening()), status("booting", "new"));
  assert.deepEqual(ask(masterless()), status("booting", "new"));
  const closing = stopping();
  closing.post({ type: "masterExited", how: "exited with code 0" });
  assert.deepEqual(ask(closing), status("stopping", "shutdown"));
  assert.deepEqual(ask(gone()), status("stopping", "shutdown"));
});

test("events are numbered, stamped, logged in the manual's words, and go to nobody who did not ask", () => {
  const machine = running();
  const counts = { ...noCounts, booting: 1, online: 1, dying: 2, new_online: 3 };
  assert.deepEqual(machine.post({ type: "masterEvent", event: poolEvent("SpawnNew", counts) }), [
    logged("SpawnNew. booting: 1, online: 1, dying: 2, new_online: 3"),
    { type: "event", clients: [], event: { ...poolEvent("SpawnNew", counts), sequence: 2, time } },
  ]);
});

test("the log says why of what nobody asked for, and of nothing else", () => {
  const worker = { id: 7, slot: 1, pid: 4242, generation: 1 };
  const post = (name: Parameters<typeof poolEvent>[0], detail: string, about?: typeof worker) =>
    logs(
      running().post({
        type: "masterEvent",
        event: poolEvent(name, {}, { detail, ...(about && { worker: about }) }),
      }),
    );
  const zeros = "booting: 0, online: 0, dying: 0, new_online: 0";
  for (const name of ["WorkerDeath", "NewDeath"] as const) {
    assert.deepEqual(post(name, "exited with code 3", worker), [
      `${name}. ${zeros}`,
      "worker 1 (pid 4242) exited with code 3",
    ]);
  }
  assert.deepEqual(post("DeployFailed", "worker 1 exited with code 3"), [
    `DeployFailed. ${zeros}`,
    "worker 1 exited with code 3",
  ]);
  assert.deepEqual(post("OldExit", "exited with code 0", worker), [`OldExit. ${zeros}`]);
});

test("events go to watchers and to those whose call is in flight, each once; a status is no such call", () => {
  const tell = (machine: Machine) =>
    audience(machine.post({ type: "masterEvent", event: poolEvent("Status") }));
  assert.deepEqual(tell(booting()), [starter]);
  assert.deepEqual(tell(running()), []);
  assert.deepEqual(tell(deploying()), [other]);
  assert.deepEqual(tell(deploying(0)), [], "nobody");
  assert.deepEqual(tell(stopping()), [other]);
  const machine = deploying();
  machine.post(
    { type: "watch", call: 30, client: other },
    { type: "status", call: 31, client: third },
    { type: "abortDeploy", call: 32, client: starter },
  );
  assert.deepEqual(tell(machine), [other, starter]);
  machine.post({ type: "masterRefused", call: 32, refusal: { error: "NoDeployInProgress" } });
  assert.deepEqual(tell(machine), [other]);
});

test("a watch is answered, and lasts until the client is gone", () => {
  const machine = running();
  assert.deepEqual(machine.post({ type: "watch", call: 30, client: other }), [
    { type: "reply", call: 30, result: {} },
  ]);
  machine.post({ type: "watch", call: 31, client: third });
  const waiting = { workers: [] };
  assert.deepEqual(machine.post({ type: "masterWaiting", waiting }), [
    { type: "tellWaiting", clients: [other, third], waiting },
  ]);
  machine.post({ type: "clientGone", client: other });
  assert.deepEqual(machine.post({ type: "masterWaiting", waiting }), [
    { type: "tellWaiting", clients: [third], waiting },
  ]);
});

test("a client that goes away ends neither its start, nor its deploy, nor its stop", () => {
  const start = booting();
  start.post({ type: "clientGone", client: starter });
  assert.deepEqual(start.post({ type: "masterAnswered", call: 1, result: ready }), [
    { type: "reply", call: 1, result: ready },
  ]);
  const deploy = deploying();
  assert.deepEqual(deploy.post({ type: "clientGone", client: other }), []);
  const stop = stopping();
  assert.deepEqual(stop.post({ type: "clientGone", client: other }), []);
  stop.post({ type: "masterExited", how: "exited with code 0" });
  assert.deepEqual(stop.post({ type: "closed" }).at(-1), { type: "end", exitCode: 0 });
});
