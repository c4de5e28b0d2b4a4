/** The daemon's machine: status and events, and who is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Effect } from "../../src/actors/daemon/state.js";
import type { Status } from "../../src/protocol/types.js";
import {
  booting,
  deploying,
  gone,
  type Machine,
  masterless,
  noCounts,
  opening,
  openMachine,
  other,
  poolEvent,
  running,
  servingInfo,
  starter,
  stopping,
  third,
  time,
} from "../support/daemon-machine.js";

const ready = { outcome: "ready", counts: { ...noCounts, online: 2 } } as const;
const logs = (effects: readonly Effect[]) =>
  effects.flatMap((each) => (each.type === "log" ? [each.line] : []));
const audience = (effects: readonly Effect[]) =>
  effects.flatMap((each) => (each.type === "event" ? each.clients : []));

test("the master tells the status as long as there is one, and the machine adds what serves", () => {
  for (const machine of [booting(), running(), stopping()]) {
    assert.deepEqual(machine.post({ type: "status", call: 4, client: other }), [
      { type: "askMaster", call: 4, ask: { method: "status", params: {} } },
    ]);
    const result: Status = { phase: "online", counts: noCounts, waitingFor: null, workers: [] };
    const added = machine.state.serving ? { serving: servingInfo } : {};
    assert.deepEqual(machine.post({ type: "masterAnswered", call: 4, result }), [
      { type: "reply", call: 4, result: { ...result, ...added } },
    ]);
  }
});

test("without a master the machine tells the status itself", () => {
  const ask = (machine: Machine) => machine.post({ type: "status", call: 4, client: other });
  const status = (phase: Status["phase"], waitingFor: Status["waitingFor"], added: object = {}) => [
    { type: "reply", call: 4, result: { phase, counts: noCounts, waitingFor, workers: [], ...added } },
  ];
  const served = { serving: servingInfo };
  assert.deepEqual(ask(openMachine()), [{ type: "refuse", call: 4, refusal: { error: "NotStarted" } }]);
  assert.deepEqual(ask(opening()), status("booting", "new"));
  assert.deepEqual(ask(masterless()), status("booting", "new", served));
  const closing = stopping();
  closing.post({ type: "masterExited", how: "exited with code 0" });
  assert.deepEqual(ask(closing), status("stopping", "shutdown", served));
  assert.deepEqual(ask(gone()), status("stopping", "shutdown", served));
});

test("events are numbered, stamped, logged in the manual's words, and go to nobody who did not ask", () => {
  const machine = running();
  const counts = { ...noCounts, booting: 1, online: 1, dying: 2, new_online: 3 };
  const event = { ...poolEvent("SpawnNew", counts), sequence: 2, time };
  assert.deepEqual(machine.post({ type: "masterEvent", event: poolEvent("SpawnNew", counts) }), [
    { type: "log", line: "SpawnNew. booting: 1, online: 1, dying: 2, new_online: 3", event },
    { type: "event", clients: [], event },
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
    { type: "reply", call: 30, result: { sequence: 1 } },
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
