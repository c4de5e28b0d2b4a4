/** What a service manager is told at which step of the daemon's machine. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { findManager, notify, untold } from "../../src/actors/daemon/notify.js";
import { supersede } from "../../src/actors/daemon/notify-socket.js";
import type { Message } from "../../src/actors/daemon/state.js";
import type { Counts, EventName, WaitingFor } from "../../src/protocol/types.js";
import {
  launch,
  noCounts,
  openMachine,
  other,
  poolEvent,
  serving,
  start,
  starter,
} from "../support/daemon-machine.js";

/** A machine, and what its manager is told at each message. */
function follow(...messages: readonly Message[]): { tell(message: Message): readonly string[] } {
  const machine = openMachine();
  let told = untold;
  const tell = (message: Message): readonly string[] => {
    const effects = machine.post(message);
    const next = notify(told, { state: machine.state, effects }, 12345n);
    told = next.told;
    return next.lines;
  };
  for (const message of messages) tell(message);
  return { tell };
}

const event = (
  name: EventName,
  counts: Partial<Counts>,
  waitingFor: WaitingFor,
  detail?: string,
): Message => ({
  type: "masterEvent",
  event: poolEvent(name, counts, { waitingFor, ...(detail === undefined ? {} : { detail }) }),
});

const begin: readonly Message[] = [
  { type: "start", call: 1, client: starter, start },
  { type: "opened", launch },
];
const booted: readonly Message[] = [
  ...begin,
  { type: "masterServing", serving },
  event("Ready", { online: 2 }, null),
  { type: "masterAnswered", call: 1, result: { outcome: "ready", counts: { ...noCounts, online: 2 } } },
];
const deployed: readonly Message[] = [
  ...booted,
  { type: "deploy", call: 5, client: other, deploy: { id: "d" } },
  { type: "resolved", call: 5, launch },
];
const settled = (outcome: "done" | "failed"): Message => ({
  type: "masterAnswered",
  call: 5,
  result: { deploy: "d", outcome, counts: { ...noCounts, online: 2 }, killed: 0 },
});

test("a start is ready when every worker is online, not before", () => {
  const { tell } = follow(...begin);
  assert.deepEqual(tell(event("NewOnline", { booting: 1, new_online: 1 }, "new")), [
    "STATUS=starting, workers online: 1 of 2",
  ]);
  assert.deepEqual(tell({ type: "masterServing", serving }), []);
  assert.deepEqual(tell(event("Ready", { online: 2 }, null)), ["STATUS=starting, workers online: 2 of 2"]);
  assert.deepEqual(
    tell({
      type: "masterAnswered",
      call: 1,
      result: { outcome: "ready", counts: { ...noCounts, online: 2 } },
    }),
    ["READY=1", "STATUS=workers online: 2"],
  );
});

test("at rest a worker that is not there shows", () => {
  const { tell } = follow(...booted);
  assert.deepEqual(tell(event("WorkerDeath", { online: 1 }, null)), ["STATUS=workers online: 1 of 2"]);
  assert.deepEqual(tell(event("SpawnNew", { online: 1, booting: 1 }, null)), [
    "STATUS=workers online: 1 of 2, booting: 1",
  ]);
  assert.deepEqual(tell(event("Status", { online: 1, booting: 1 }, null)), []);
  assert.deepEqual(tell(event("WorkerOffline", { online: 1, dying: 1 }, null)), [
    "STATUS=workers online: 1 of 2, leaving: 1",
  ]);
});

test("a deploy is a reload from its first worker to its answer", () => {
  const { tell } = follow(...deployed);
  assert.deepEqual(tell(event("SpawnNew", { online: 2, booting: 1 }, "new")), [
    "RELOADING=1",
    "MONOTONIC_USEC=12345",
    "STATUS=deploy in progress, new workers online: 0, booting: 1",
  ]);
  assert.deepEqual(tell(event("ShutdownOld", { new_online: 2, dying: 2 }, "old")), [
    "STATUS=deploy in progress, old workers leaving: 2",
  ]);
  assert.deepEqual(tell(event("OldExit", { new_online: 2 }, "old")), [
    "STATUS=deploy in progress, old workers leaving: 0",
  ]);
  assert.deepEqual(tell(event("Ready", { online: 2 }, null)), ["READY=1", "STATUS=workers online: 2"]);
  assert.deepEqual(tell(settled("done")), []);
});

test("a deploy that ends with a worker held back is over all the same", () => {
  const { tell } = follow(...deployed, event("OldExit", { new_online: 1 }, "old"));
  assert.deepEqual(tell(settled("done")), ["READY=1", "STATUS=workers online: 0 of 2"]);
});

test("a deploy that fails ends the reload, too, and the status says why until the next one", () => {
  const messages = [...deployed, event("SpawnNew", { online: 2, booting: 1 }, "new")];
  const { tell } = follow(...messages);
  assert.deepEqual(tell(event("DeployFailed", { online: 2 }, null, "worker 0 exited\nwith code 1")), [
    "READY=1",
    "STATUS=workers online: 2; the last deploy failed: worker 0 exited with code 1",
  ]);
  tell(settled("failed"));
  tell({ type: "deploy", call: 6, client: other, deploy: { id: "e" } });
  assert.deepEqual(tell({ type: "resolved", call: 6, launch }), []);
  tell(event("SpawnNew", { online: 2, booting: 1 }, "new"));
  assert.deepEqual(tell(event("Ready", { online: 2 }, null)), ["READY=1", "STATUS=workers online: 2"]);
});

test("a deploy that is refused is no reload", () => {
  const { tell } = follow(...deployed);
  assert.deepEqual(tell({ type: "masterRefused", call: 5, refusal: { error: "StillBooting" } }), []);
});

test("a master that dies in a deploy ends the reload, and its successor's boot is none", () => {
  const { tell } = follow(...deployed, event("SpawnNew", { online: 2, booting: 1 }, "new"));
  assert.deepEqual(tell({ type: "masterExited", how: "was killed by SIGKILL" }), [
    "READY=1",
    "STATUS=the master process died, a new one is starting",
  ]);
  assert.deepEqual(tell({ type: "reviveMaster" }), ["STATUS=workers online: 0 of 2"]);
  assert.deepEqual(tell(event("SpawnNew", { booting: 1 }, "new")), [
    "STATUS=workers online: 0 of 2, booting: 1",
  ]);
});

test("a stop is told once, with how many are left", () => {
  const { tell } = follow(...booted);
  assert.deepEqual(tell({ type: "stop", call: 8, client: other, stop: {} }), [
    "STOPPING=1",
    "STATUS=stopping, workers left: 2",
  ]);
  assert.deepEqual(tell(event("OldExit", { dying: 1 }, "shutdown")), ["STATUS=stopping, workers left: 1"]);
  assert.deepEqual(tell({ type: "masterExited", how: "exited with code 0" }), ["STATUS=stopping"]);
  assert.deepEqual(tell({ type: "closed" }), []);
});

test("a stop ends a reload", () => {
  const { tell } = follow(...deployed, event("SpawnNew", { online: 2, booting: 1 }, "new"));
  assert.equal(tell({ type: "stop", call: 8, client: other, stop: {} })[0], "STOPPING=1");
});

test("the manager is found in the environment", () => {
  const env = { NOTIFY_SOCKET: "/run/notify" };
  const found = { address: "/run/notify", watchdog: null, isIndirect: false };
  assert.equal(findManager({}, 7), null);
  assert.equal(findManager({ NOTIFY_SOCKET: "" }, 7), null);
  assert.deepEqual(findManager(env, 7), found);
  assert.deepEqual(findManager({ ...env, SYSTEMD_EXEC_PID: "7" }, 7), found);
  assert.deepEqual(findManager({ ...env, SYSTEMD_EXEC_PID: "6" }, 7), { ...found, isIndirect: true });
});

test("the watchdog is fed if it is this process that is watched, or one in whose place it is", () => {
  const watch = (env: NodeJS.ProcessEnv) => findManager({ NOTIFY_SOCKET: "@n", ...env }, 7)?.watchdog;
  assert.equal(watch({ WATCHDOG_USEC: "30000000" }), 30_000);
  assert.equal(watch({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "7" }), 30_000);
  assert.equal(watch({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "6" }), null);
  assert.equal(watch({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "6", SYSTEMD_EXEC_PID: "6" }), 30_000);
  for (const WATCHDOG_USEC of ["", "0", "-1", "soon"]) assert.equal(watch({ WATCHDOG_USEC }), null);
});

test("a message that waits is dropped only when a later one says the same anew", () => {
  const waiting: (readonly string[])[] = [["READY=1", "STATUS=a"], ["STATUS=b"], ["WATCHDOG=1"]];
  supersede(waiting, ["STATUS=c"]);
  assert.deepEqual(waiting, [["READY=1", "STATUS=a"], ["WATCHDOG=1"]]);
  supersede(waiting, ["WATCHDOG=1"]);
  assert.deepEqual(waiting, [["READY=1", "STATUS=a"]]);
  supersede(waiting, ["STOPPING=1", "STATUS=d"]);
  assert.deepEqual(waiting, [["READY=1", "STATUS=a"]]);
});
