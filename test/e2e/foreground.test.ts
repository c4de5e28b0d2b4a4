/** Foreground mode, and signals in both modes: SIGHUP deploys, SIGTERM and SIGINT stop. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { eventLines, eventNames, line } from "../support/events.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e, type Naught } from "../support/naught.js";
import { get } from "../support/request.js";
import type { Running } from "../support/running.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

test(
  "in the foreground a server is deployed by SIGHUP without a failed request, and stopped by SIGTERM",
  e2e(async (naught) => {
    naught.write("version", "1");
    const foreground = await startForeground(naught, ["--worker-count", "2", server("http.cjs")]);
    assert.equal((await naught.run(["status"])).stdout, "workers online: 2\n");
    const load = await startLoad(naught, { slowMs: 500 });
    naught.write("version", "2");
    foreground.signal("SIGHUP");
    await naught.wrote("naught.log", /(Ready[\s\S]*){2}/);
    await load.saw("2");
    assertUnhurt(await load.stop());
    foreground.signal("SIGTERM");
    assert.equal((await foreground.finished).code, 0);
    assert.equal(eventLines(naught.read("naught.log")).at(-1), line("Shutdown"));
    assert.equal(existsSync(naught.path("naught.ipc")), false);
    assert.equal(existsSync(naught.path("naught.pid")), false);
  }),
);

test(
  "in the foreground Ctrl-C stops the server, and what is in flight is answered",
  e2e(async (naught) => {
    const foreground = await startForeground(naught, [server("http.cjs")]);
    const slow = get(naught, "/slow?ms=1000&id=slow");
    // The second request is answered while the first one is in flight.
    await get(naught);
    foreground.interrupt();
    assert.equal((await slow).body.id, "slow");
    assert.equal((await foreground.finished).code, 0);
  }),
);

test(
  "in the foreground the commands work as on a daemon",
  e2e(async (naught) => {
    const foreground = await startForeground(naught, [server("http.cjs")]);
    await naught.succeed(["deploy", "--worker-count", "2"]);
    assert.equal(naught.workers().length, 2);
    await naught.succeed(["stop"]);
    assert.equal((await foreground.finished).code, 0);
  }),
);

test(
  "in the foreground - sends the logs to naught's own streams",
  e2e(async (naught) => {
    const foreground = await startForeground(naught, ["--stdout", "-", "--stderr", "-", server("lines.cjs")]);
    await get(naught, "/print");
    await foreground.said("stdout", /^out \d+ 1\n(workers online: 1\n)?out \d+ 2$/m);
    await foreground.said("stderr", /^err \d+ 2$/m);
    assert.equal(existsSync(naught.path("stdout.log")) || existsSync(naught.path("stderr.log")), false);
    foreground.signal("SIGTERM");
    assert.equal((await foreground.finished).code, 0);
  }),
);

test(
  "in the foreground a server that throws at boot ends naught with 1",
  e2e(async (naught) => {
    const end = await naught.run(["start", "--daemon-mode", "false", server("throws.cjs")]);
    assert.equal(end.code, 1);
    assert.match(end.stderr, /^The server crashed without booting\. Check stderr\.log\.$/m);
    assert.equal(existsSync(naught.path("naught.ipc")), false);
  }),
);

test(
  "SIGHUP deploys a daemon, with the variables and the directory it was started with",
  e2e(async (naught) => {
    await naught.succeed(["start", server("echo.cjs")], { env: { KEPT: "1" } });
    const before = naught.workers();
    process.kill(naught.daemon(), "SIGHUP");
    await naught.wrote("naught.log", /(Ready[\s\S]*){2}/);
    assert.equal(naught.workers().length, 1);
    assert.notDeepEqual(naught.workers(), before);
    const { body } = await get(naught, "/echo");
    assert.equal((body.env as Record<string, string>).KEPT, "1");
    assert.equal(body.cwd, naught.dir);
    await naught.succeed(["stop"]);
  }),
);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(
    `${signal} stops a daemon, and what is in flight is answered`,
    e2e(async (naught) => {
      await naught.succeed(["start", "--worker-count", "2", server("http.cjs")]);
      const slow = get(naught, "/slow?ms=1000&id=slow");
      await get(naught);
      process.kill(naught.daemon(), signal);
      assert.equal((await slow).body.id, "slow");
      await until("the daemon to end", () => naught.processes().length === 0);
      assert.equal(eventLines(naught.read("naught.log")).at(-1), line("Shutdown"));
      assert.equal(existsSync(naught.path("naught.ipc")), false);
    }),
  );
}

test(
  "a bad release that is deployed by SIGHUP changes nothing",
  e2e(async (naught) => {
    const script = naught.write("server.cjs", `require(${JSON.stringify(server("http.cjs"))});`);
    await naught.succeed(["start", script]);
    const before = naught.workers();
    naught.write("server.cjs", `throw new Error("broken");`);
    process.kill(naught.daemon(), "SIGHUP");
    const log = await naught.wrote("naught.log", /NewDeath/);
    assert.equal(eventNames(log).includes("ShutdownOld"), false);
    await until("rest", async () => (await naught.run(["status"])).stdout === "workers online: 1\n");
    assert.deepEqual(naught.workers(), before);
    await naught.succeed(["stop"]);
  }),
);

async function startForeground(naught: Naught, args: readonly string[]): Promise<Running> {
  const running = naught.spawn(["start", "--daemon-mode", "false", ...args], { timeout: 60_000 });
  running.finished.catch(() => undefined);
  await naught.wrote("naught.log", /Ready/);
  return running;
}
