/** A stop goes on, whoever of those that carry it out is killed, and the command says how it ended. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { e2e, type Naught } from "../support/naught.js";
import { kill } from "../support/processes.js";
import type { Running } from "../support/running.js";
import { server } from "../support/servers.js";
import { askStatus, awaitStatus, isSettled } from "../support/survival.js";
import { until } from "../support/wait.js";

interface Stopping {
  readonly stop: Running;
  readonly daemon: number;
  readonly master: number;
}

/** Two workers have been asked to go, and stay until there is a file called leave. */
async function beginStop(naught: Naught): Promise<Stopping> {
  const brief = ["--worker-count", "2", "--drain-grace", "0"];
  await naught.succeed(["start", ...brief, server("leaves-late.cjs")]);
  const status = await awaitStatus(naught, "the server", (now) => isSettled(now, 2));
  const stop = naught.spawn(["stop"]);
  await stop.said("stderr", /ShutdownOld[\s\S]*ShutdownOld.*\n/);
  return { stop, daemon: status.daemon?.pid ?? 0, master: status.master?.pid ?? 0 };
}

async function awaitSuccessor(naught: Naught, daemon: number): Promise<void> {
  await until(
    "a new daemon",
    async () => {
      const status = await askStatus(naught);
      return status?.phase === "stopping" && status.daemon?.pid !== daemon;
    },
    30_000,
  );
}

/** No file by which a daemon is found, and nobody who could be found. */
async function assertGone(naught: Naught): Promise<void> {
  await until("no process to be left", () => naught.processes().length === 0, 30_000);
  assert.deepEqual(
    readdirSync(naught.dir).filter((name) => name.startsWith("naught.") && name !== "naught.log"),
    [],
  );
  assert.match(naught.read("naught.log"), /Shutdown\. booting: 0, online: 0, dying: 0, new_online: 0\n$/);
}

for (const [who, alsoMaster] of [
  ["the daemon", false],
  ["daemon and master", true],
] as const) {
  test(
    `a stop in the middle of which ${who} died goes on, and its command follows`,
    e2e(async (naught) => {
      const { stop, daemon, master } = await beginStop(naught);
      kill(daemon);
      if (alsoMaster) kill(master);
      await awaitSuccessor(naught, daemon);
      naught.write("leave", "");
      const { code, stderr } = await stop.finished;
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /already in progress/);
      await assertGone(naught);
    }),
  );

  test(
    `a stop that nobody waits for goes on when ${who} died`,
    e2e(async (naught) => {
      const { stop, daemon, master } = await beginStop(naught);
      stop.signal("SIGKILL");
      await stop.finished;
      kill(daemon);
      if (alsoMaster) kill(master);
      await awaitSuccessor(naught, daemon);
      naught.write("leave", "");
      await assertGone(naught);
    }),
  );
}

test(
  "a stop keeps its --timeout beyond the death of daemon and master",
  e2e(async (naught) => {
    const { stop, daemon, master } = await beginStop(naught);
    stop.signal("SIGKILL");
    await stop.finished;
    naught.spawn(["stop", "--timeout", "6"]);
    await until("the time to be known", () => /"stopDue\\":\d/.test(naught.read("naught.ipc.state")));
    kill(daemon);
    kill(master);
    await assertGone(naught);
  }),
);

test(
  "a stop whose server was killed as a whole says that nothing is left",
  e2e(async (naught) => {
    const { stop } = await beginStop(naught);
    for (const { pid } of naught.processes()) if (pid !== stop.pid) kill(pid);
    const { code, stderr } = await stop.finished;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /\nnaught stop: the daemon died, and nothing is left of the server\n$/);
    await naught.succeed(["start", server("http.cjs")]);
    await naught.succeed(["stop"]);
  }),
);
