/** The daemon's machine: what it adds to a status, and that no value of the environment gets out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Status } from "../../src/protocol/types.js";
import {
  deploying,
  launch,
  type Machine,
  noCounts,
  poolEvent,
  running,
  servingInfo,
  starter,
  third,
  time,
} from "../support/daemon-machine.js";

const plain: Status = { phase: "online", counts: noCounts, waitingFor: null, workers: [] };

function ask(machine: Machine, answer: Partial<Status> = {}): Status {
  machine.post({ type: "status", call: 40, client: third });
  const [reply] = machine.post({ type: "masterAnswered", call: 40, result: { ...plain, ...answer } });
  assert.ok(reply?.type === "reply" && "phase" in reply.result);
  return reply.result as Status;
}

test("what serves is told with the time of its take-over, which a new master does not change", () => {
  const machine = running();
  assert.deepEqual(ask(machine).serving, servingInfo);
  machine.post({ type: "masterExited", how: "was killed by SIGKILL" }, { type: "reviveMaster" });
  assert.deepEqual(ask(machine).serving, servingInfo);
});

test("seconds become times", () => {
  const worker = { id: 1, slot: 0, pid: 5, generation: 1, status: "online", seconds: 5.5 } as const;
  const { workers, delays } = ask(running(), {
    workers: [worker],
    delays: [{ slot: 1, failures: 3, seconds: 2 }],
  });
  assert.deepEqual(workers, [{ ...worker, since: "2026-01-02T03:04:00.178Z" }]);
  assert.deepEqual(delays, [{ slot: 1, failures: 3, seconds: 2, until: "2026-01-02T03:04:07.678Z" }]);
});

test("a slot's last death is told, also when there is no worker and no master any more", () => {
  const machine = running();
  const worker = { id: 3, slot: 1, pid: 5, generation: 1 };
  const death = { reason: "exited with code 7", seconds: 2.5, stderr: ["boom", "    at line 1"] };
  const effects = ["of old", "exited with code 7"].flatMap((reason) =>
    machine.post({
      type: "masterEvent",
      event: poolEvent(
        "WorkerDeath",
        {},
        { worker, detail: `${reason} after 2.5 s`, death: { ...death, reason } },
      ),
    }),
  );
  const lines = effects.flatMap((effect) => (effect.type === "log" ? [effect.line] : []));
  assert.deepEqual(lines.slice(-4), [
    "worker 1 (pid 5) exited with code 7 after 2.5 s",
    "last lines of its stderr:",
    "    boom",
    "        at line 1",
  ]);
  const lastDeath = { ...death, worker, time };
  const plainly = { slot: 1, restarts: 0, failures: 0, lastDeath };
  assert.deepEqual(ask(machine).slots, [plainly]);
  const told = {
    slots: [{ slot: 1, restarts: 4, failures: 3 }],
    delays: [{ slot: 1, failures: 3, seconds: 2 }],
  };
  assert.deepEqual(ask(machine, told).slots, [
    { slot: 1, restarts: 4, failures: 3, seconds: 2, until: "2026-01-02T03:04:07.678Z", lastDeath },
  ]);
  machine.post({ type: "masterExited", how: "was killed by SIGKILL" });
  const [reply] = machine.post({ type: "status", call: 41, client: third });
  assert.ok(reply?.type === "reply" && "slots" in reply.result);
  assert.deepEqual(reply.result.slots, [plainly]);
});

test("a deploy in flight has a beginning and callers: those who deploy or attach, and are still there", () => {
  const machine = deploying();
  machine.post(
    { type: "attachDeploy", call: 6, client: third, id: "d" },
    { type: "deploy", call: 7, client: starter, deploy: { id: "d" } },
    { type: "abortDeploy", call: 8, client: third },
  );
  const deploy = { deploy: "d", deploying: { id: "d", seconds: 1, stage: "booting" as const } };
  const told = { id: "d", seconds: 1, stage: "booting", since: "2026-01-02T03:04:04.678Z" };
  assert.deepEqual(ask(machine, deploy).deploying, { ...told, callers: 3 });
  machine.post({ type: "clientGone", client: third });
  assert.deepEqual(ask(machine, deploy).deploying, { ...told, callers: 2 });
});

test("values of the environment are in no status, event or line of the log", () => {
  const secret = "hunter2hunter2";
  const machine = running();
  const env = { ...launch.env, PASSWORD: secret };
  const effects = [
    ...machine.post({
      type: "masterServing",
      serving: { generation: 2, workerCount: 2, launch: { ...launch, env } },
    }),
    ...machine.post({ type: "masterEvent", event: poolEvent("Ready") }),
  ];
  const status = ask(machine);
  assert.deepEqual(status.serving?.env, ["COLOUR", "PASSWORD", "PATH"]);
  assert.equal(status.serving?.since, time);
  assert.doesNotMatch(JSON.stringify([status, effects]), new RegExp(`${secret}|red`));
});
