/** The daemon's machine: start and stop. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Effect, Refusal } from "../../src/actors/daemon/state.js";
import type { NaughtEvent } from "../../src/protocol/types.js";
import {
  booting,
  gone,
  launch,
  masterStart,
  noCounts,
  opening,
  openMachine,
  other,
  running,
  serving,
  start,
  starter,
  stopping,
  third,
  time,
} from "../support/daemon-machine.js";

const ready = { outcome: "ready", counts: { ...noCounts, online: 2 } } as const;
const shutdownLine = "Shutdown. booting: 0, online: 0, dying: 0, new_online: 0";
const shutdownEvent = { name: "Shutdown", counts: noCounts, waitingFor: "shutdown" } as const;
/** An event that is logged, and told to these. */
const told = (line: string, clients: readonly number[], event: NaughtEvent): Effect[] => [
  { type: "log", line, event },
  { type: "event", clients, event },
];
const replies = (effects: readonly Effect[]) =>
  effects.filter(({ type }) => type === "reply" || type === "refuse");

test("a start opens the files, then runs the first master, and is answered when its workers are online", () => {
  const machine = openMachine();
  assert.deepEqual(machine.post({ type: "start", call: 1, client: starter, start }), [
    { type: "open", start },
  ]);
  assert.deepEqual(machine.post({ type: "opened", launch }), [
    { type: "startMaster", call: 1, master: 1, start: masterStart },
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
    ...told(shutdownLine, [starter], { ...shutdownEvent, sequence: 1, time }),
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
    ...told(shutdownLine, [other], { ...shutdownEvent, sequence: 2, time }),
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
