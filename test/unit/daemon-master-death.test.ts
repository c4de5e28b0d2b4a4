/** The daemon's machine when its master dies: at boot, at rest, during a deploy, during a stop, and again and again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Effect } from "../../src/actors/daemon/state.js";
import {
  booting,
  deploying,
  launch,
  type Machine,
  masterless,
  masterStart,
  noCounts,
  other,
  poolEvent,
  running,
  serving,
  servingInfo,
  starter,
  stopping,
  third,
} from "../support/daemon-machine.js";

const killed = { type: "masterExited", how: "was killed by SIGKILL" } as const;
const reason = "the master process was killed by SIGKILL";
const steady = (deaths: number): Effect => ({
  type: "later",
  seconds: 60,
  message: { type: "masterSteady", deaths },
});
const replies = (effects: readonly Effect[]) =>
  effects.filter(({ type }) => type === "reply" || type === "refuse");

/** Whoever has a lifeline had the time to find the daemon. */
const listened = { type: "listened" } as const;
const unknown = { id: 7, slot: 0, pid: 107, generation: 1 };
const lifeline = { type: "lifeline", call: 20, client: 30, worker: unknown, master: 1 } as const;

test("a stop is not over before a worker of which the dead master has not told had the time to come, and is gone", () => {
  const machine = stopping();
  assert.ok(!machine.post(killed).some(({ type }) => type === "close"));
  assert.ok(machine.post(lifeline).some((each) => each.type === "reply" && each.call === 20));
  assert.deepEqual(machine.post(listened), []);
  assert.equal(machine.post({ type: "strayGone", pid: 107 }).at(-1)?.type, "close");
});

test("nor is a start that has failed: such a worker is killed", () => {
  const machine = booting();
  machine.post(killed);
  assert.ok(machine.post(lifeline).some((each) => each.type === "killProcess" && each.pid === 107));
  machine.post(listened);
  assert.equal(machine.post({ type: "strayGone", pid: 107 }).at(-1)?.type, "close");
});

test("a master that has ended by itself has left nobody", () => {
  const machine = stopping();
  assert.equal(machine.post({ type: "masterExited", how: "exited with code 0" }).at(-1)?.type, "close");
});

test("a master that dies at boot fails the start, with the reason", () => {
  const machine = booting();
  assert.deepEqual(
    machine.post(killed, listened).map(({ type }) => type),
    ["log", "event", "close"],
  );
  assert.deepEqual(machine.post({ type: "closed" }), [
    { type: "refuse", call: 1, refusal: { error: "MasterLost", message: reason } },
    { type: "end", exitCode: 1 },
  ]);
});

test("a master that dies after its workers took over, but before it said so, fails the start, too", () => {
  const machine = booting();
  machine.post({ type: "masterServing", serving });
  assert.deepEqual(
    machine.post(killed, listened).map(({ type }) => type),
    ["log", "event", "close"],
  );
  assert.deepEqual(replies(machine.post({ type: "closed" })), [
    { type: "refuse", call: 1, refusal: { error: "MasterLost", message: reason } },
  ]);
});

test("a master that dies at rest is followed at once by one with the same launch, count and generation", () => {
  const machine = running();
  const next = { generation: 4, workerCount: 5, launch: { ...launch, realCwd: "/releases/4" } };
  machine.post({ type: "masterServing", serving: next });
  assert.deepEqual(machine.post(killed), [
    { type: "log", line: `${reason}; a new one starts now` },
    { type: "later", seconds: 0, message: { type: "reviveMaster" } },
  ]);
  assert.deepEqual(machine.post({ type: "reviveMaster" }), [
    {
      type: "startMaster",
      call: -1,
      master: 2,
      start: { ...masterStart, ...next, resume: true, nextWorker: 1, nextGeneration: 5 },
    },
    steady(1),
  ]);
  assert.deepEqual(
    machine.post({ type: "masterAnswered", call: -1, result: { outcome: "ready", counts: noCounts } }),
    [],
  );
  assert.equal(
    machine.post({ type: "deploy", call: 9, client: other, deploy: { id: "e" } })[0]?.type,
    "resolve",
  );
});

test("a new master is started once", () => {
  const machine = masterless();
  machine.post({ type: "reviveMaster" });
  assert.deepEqual(machine.post({ type: "reviveMaster" }), []);
});

test("a master that dies during a deploy fails the deploy and all who wait for it, with the reason", () => {
  const machine = deploying();
  machine.post(
    { type: "attachDeploy", call: 6, client: third, id: "d" },
    { type: "abortDeploy", call: 7, client: third },
  );
  const failed = (call: number, deploy: string) => ({
    type: "reply",
    call,
    result: { deploy, outcome: "failed", counts: noCounts, killed: 0, failed: { reason } },
  });
  assert.deepEqual(replies(machine.post(killed)), [failed(5, "d"), failed(6, "d"), failed(7, "")]);
});

test("a status that the master takes along is told by the machine", () => {
  const ask = (machine: Machine) => machine.post({ type: "status", call: 4, client: other }, killed);
  assert.deepEqual(replies(ask(running())), [
    {
      type: "reply",
      call: 4,
      result: {
        phase: "booting",
        counts: noCounts,
        waitingFor: "new",
        workers: [],
        serving: servingInfo,
      },
    },
  ]);
  assert.deepEqual(replies(ask(stopping())), [
    {
      type: "reply",
      call: 4,
      result: {
        phase: "stopping",
        counts: noCounts,
        waitingFor: "shutdown",
        workers: [],
        serving: servingInfo,
      },
    },
  ]);
});

test("a master that dies during a stop has stopped; a deploy that it takes along is answered", () => {
  const machine = deploying();
  machine.post({ type: "stop", call: 8, client: third, stop: {} });
  const effects = machine.post(killed);
  assert.deepEqual(replies(effects), [
    {
      type: "reply",
      call: 5,
      result: {
        deploy: "d",
        outcome: "failed",
        counts: noCounts,
        killed: 0,
        failed: { reason: "the server was stopped" },
      },
    },
  ]);
  assert.equal(machine.post(listened).at(-1)?.type, "close");
  assert.deepEqual(machine.post({ type: "closed" }), [
    { type: "reply", call: 8, result: {} },
    { type: "end", exitCode: 0 },
  ]);
});

test("a master that dies while it stops a boot: the start was stopped", () => {
  const machine = booting();
  machine.post({ type: "stop", call: 8, client: third, stop: {} }, killed);
  assert.deepEqual(machine.post({ type: "closed" }), [
    { type: "reply", call: 1, result: { outcome: "stopped", counts: noCounts } },
    { type: "reply", call: 8, result: {} },
    { type: "end", exitCode: 0 },
  ]);
});

function die(machine: Machine): number | undefined {
  const later = machine.post(killed).find(({ type }) => type === "later");
  machine.post({ type: "reviveMaster" });
  return later?.type === "later" ? later.seconds : undefined;
}

test("masters that die again and again follow each other ever more slowly, up to a minute", () => {
  const machine = running();
  const delays = Array.from({ length: 10 }, () => die(machine));
  assert.deepEqual(delays, [0, 0.5, 1, 2, 4, 8, 16, 32, 60, 60]);
  const [log] = machine.post(killed);
  assert.deepEqual(log, { type: "log", line: `${reason}; a new one starts in 60 s` });
});

test("a master that has lived for a minute makes up for those before it", () => {
  const machine = running();
  die(machine);
  die(machine);
  machine.post({ type: "masterSteady", deaths: 1 });
  assert.equal(die(machine), 1, "it was not this one's minute");
  machine.post({ type: "masterSteady", deaths: 3 });
  assert.equal(die(machine), 0);
});

test("a master that had its workers online before it died is followed within half a second, however often", () => {
  const machine = running();
  const delays = Array.from({ length: 4 }, () => {
    const seconds = die(machine);
    machine.post({ type: "masterEvent", event: poolEvent("Ready", { online: 2 }) });
    return seconds;
  });
  assert.deepEqual(delays, [0, 0.5, 0.5, 0.5]);
});

test("a stop while a new master is due needs none", () => {
  const machine = masterless();
  const effects = machine.post({ type: "stop", call: 8, client: other, stop: {} });
  assert.deepEqual(
    effects.map(({ type }) => type),
    ["log", "event", "close"],
  );
  assert.deepEqual(machine.post({ type: "reviveMaster" }), []);
  assert.deepEqual(machine.post({ type: "closed" }), [
    { type: "reply", call: 8, result: {} },
    { type: "end", exitCode: 0 },
  ]);
  assert.deepEqual(machine.post({ type: "reviveMaster" }), []);
});

test("nobody is counted while there is no master", () => {
  const machine = masterless();
  assert.deepEqual(machine.state.counts, noCounts);
  assert.deepEqual(machine.post({ type: "watch", call: 3, client: starter }), [
    { type: "reply", call: 3, result: { sequence: 1 } },
  ]);
});
