/** Starts that fail or hang, stops that hang or are joined, and Ctrl-C in both. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { countsLine, line, lines } from "../support/events.js";
import { e2e } from "../support/naught.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

const end = (code: number, stdout: string, stderr: string) => ({ stdout, stderr, code, signal: null });

test(
  "stop --timeout kills what hangs",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "2", server("hangs.cjs")]);
    const stop = await naught.run(["stop", "--timeout", "0.3"]);
    const expected = lines(
      line("ShutdownOld", { online: 1, dying: 1 }),
      line("ShutdownOld", { dying: 2 }),
      line("Timeout", { dying: 2 }),
      line("DestroyOld", { dying: 2 }),
      line("DestroyOld", { dying: 2 }),
      line("OldExit", { dying: 1 }),
      line("OldExit"),
    );
    assert.deepEqual(stop, end(0, "", expected));
    assert.match(naught.read("stdout.log"), /shutdown was heard/);
  }),
);

test(
  "a server that throws at boot is a failed start that names the worker, its exit code and its last words",
  e2e(async (naught) => {
    const start = await naught.run(["start", server("throws.cjs")]);
    assert.deepEqual([start.code, start.stdout], [1, ""]);
    const expected = [
      line("Bootup"),
      line("SpawnNew", { booting: 1 }),
      line("NewDeath"),
      "The server crashed without booting. Check stderr.log.",
    ];
    assert.deepEqual(start.stderr.split("\n").slice(0, 4), expected);
    const reason = start.stderr.split("\n").slice(4).join("\n");
    assert.match(reason, /worker 0/);
    assert.match(reason, /\b1\b/);
    assert.match(reason, /this release is broken/);
    assert.match(naught.read("stderr.log"), /this release is broken/);
    assert.deepEqual(await naught.run(["status"]), end(1, "", "server not running\n"));
  }),
);

test(
  "a server that exits with 0 at boot is a failed start",
  e2e(async (naught) => {
    const start = await naught.run(["start", "--worker-count", "2", server("exits.cjs")]);
    assert.deepEqual([start.code, start.stdout], [1, ""]);
    assert.match(start.stderr, /^The server crashed without booting\. Check stderr\.log\.$/m);
    assert.match(start.stderr, /nothing to do here/);
  }),
);

test(
  "a worker that never says online is waited for and named; status tells; Ctrl-C rolls the start back",
  e2e(async (naught) => {
    const start = naught.spawn(["start", server("never-online.cjs")]);
    await start.said("stderr", line("SpawnNew", { booting: 1 }));
    const booting = `booting\n${countsLine({ booting: 1 })}\n`;
    assert.deepEqual(await naught.run(["status"]), end(0, booting, ""));
    assert.deepEqual(await naught.run(["start", server("http.cjs")]), end(1, booting, ""));
    await start.said("stderr", /worker 0/, 8_000);
    start.interrupt();
    assert.equal((await start.finished).code, 1);
    await until("the rollback", () => naught.processes().length === 0);
    assert.equal(existsSync(naught.path("naught.ipc")), false);
  }),
);

test(
  "stop during a boot ends it",
  e2e(async (naught) => {
    const start = naught.spawn(["start", server("never-online.cjs")]);
    await start.said("stderr", line("SpawnNew", { booting: 1 }));
    assert.equal((await naught.run(["stop", "--timeout", "1"])).code, 0);
    assert.equal((await start.finished).code, 1);
  }),
);

test(
  "a second stop joins the first, and may shorten it; status tells; Ctrl-C only detaches",
  e2e(async (naught) => {
    await naught.succeed(["start", server("hangs.cjs")]);
    const first = naught.spawn(["stop"]);
    await first.said("stderr", line("ShutdownOld", { dying: 1 }));
    const status = await naught.run(["status"]);
    assert.deepEqual(status, end(0, `shutting down\n${countsLine({ dying: 1 })}\n`, ""));
    const detached = naught.spawn(["stop"]);
    const notice = lines(
      "Waiting for shutdown already in progress.",
      "If it hangs, Ctrl+C this command and try it again with --timeout 1",
    );
    await detached.said("stderr", notice);
    detached.interrupt();
    await detached.finished;
    assert.equal(naught.workers().length, 1);
    const last = await naught.run(["stop", "--timeout", "0.3"]);
    assert.equal(last.code, 0);
    assert.ok(last.stderr.startsWith(notice), last.stderr);
    assert.match(last.stderr, /^Timeout\. /m);
    assert.equal((await first.finished).code, 0);
  }),
);

test(
  "Ctrl-C during stop: the stop goes on",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs")]);
    const slow = get(naught, "/slow?ms=1000&id=slow");
    const stop = naught.spawn(["stop"]);
    await stop.said("stderr", "ShutdownOld");
    stop.interrupt();
    await stop.finished;
    assert.equal((await slow).body.id, "slow");
    await until("the stop to end", () => naught.processes().length === 0);
  }),
);
