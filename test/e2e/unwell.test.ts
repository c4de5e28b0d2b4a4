/** Workers that hang or use too much memory are replaced, and nobody else notices. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Status } from "../../src/protocol/types.js";
import { eventNames } from "../support/events.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e, type Naught } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

async function ask(naught: Naught): Promise<Status> {
  return JSON.parse((await naught.succeed(["status", "--json"])).stdout) as Status;
}

test(
  "a worker whose event loop is blocked is replaced, then killed; a stop of the whole tree retires nobody",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "2", "--hang-timeout", "2", server("unwell.cjs")]);
    const before = naught.workers();
    const all = naught.processes().map(({ pid }) => pid);
    for (const pid of all) kill(pid, "SIGSTOP");
    await delay(4000);
    for (const pid of all) kill(pid, "SIGCONT");
    assert.equal((await get(naught)).status, 200);
    const blocked = get(naught, "/block");
    const log = await naught.wrote("naught.log", /WorkerDeath/, 40_000);
    await assert.rejects(blocked);
    const happened = eventNames(log).slice(eventNames(log).indexOf("WorkerOffline"));
    assert.deepEqual(
      happened.filter((name) => name !== "Ready" && name !== "Status"),
      ["WorkerOffline", "SpawnNew", "WorkerOnline", "DestroyOld", "WorkerDeath"],
    );
    assert.match(
      log,
      /worker \d \(pid \d+\) its event loop was blocked for 2\.0 s \(using \d+ % of a processor\)/,
    );
    assert.match(log, /was killed by SIGKILL after \d.*: its event loop was blocked for 2\.0 s/);
    const after = await until("two workers", () => naught.workers().length === 2 && naught.workers());
    assert.equal(after.filter(({ pid }) => before.some((old) => old.pid === pid)).length, 1);
    const { slots } = await ask(naught);
    const dead = slots?.find(({ lastDeath }) => lastDeath !== undefined);
    assert.match(dead?.lastDeath?.reason ?? "", /^was killed by SIGKILL: its event loop was blocked/);
    await naught.succeed(["stop"]);
  }),
);

test(
  "one that a debugger may hold, or that may hang for as long as it likes, is left alone",
  e2e(async (naught) => {
    const inspect = ["--node-args", "--inspect=127.0.0.1:0"];
    await naught.succeed(["start", "--hang-timeout", "1", ...inspect, server("unwell.cjs")]);
    const [before] = naught.workers();
    assert.equal((await get(naught, "/block?for=4000")).body.pid, before?.pid);
    await naught.succeed(["deploy", "--hang-timeout", "none", "--node-args", "--no-warnings"]);
    const [after] = naught.workers();
    assert.equal((await get(naught, "/block?for=4000")).body.pid, after?.pid);
    assert.doesNotMatch(naught.read("naught.log"), /WorkerOffline/);
    assert.deepEqual((await ask(naught)).serving?.limits, undefined);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a worker that uses more memory than it may goes when its replacement is online, and no request is lost",
  e2e(async (naught) => {
    await naught.succeed(["start", "--max-memory", "300M", server("unwell.cjs")]);
    const [before] = naught.workers();
    const load = await startLoad(naught, { slow: 1, slowMs: 500 });
    await get(naught, "/grow?by=300");
    const log = await naught.wrote("naught.log", /OldExit/, 60_000);
    assertUnhurt(await load.stop());
    const happened = eventNames(log).slice(eventNames(log).lastIndexOf("SpawnNew"));
    assert.deepEqual(
      happened.filter((name) => name !== "Ready"),
      ["SpawnNew", "WorkerOnline", "ShutdownOld", "OldExit"],
    );
    assert.match(
      log,
      new RegExp(`worker 0 \\(pid ${before?.pid}\\) used \\d+ MiB of memory, more than 300 MiB`),
    );
    assert.equal((await ask(naught)).slots?.[0]?.restarts, 1);
    await naught.succeed(["stop"]);
  }),
);
