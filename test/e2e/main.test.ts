/** The main job: a server of any kind is started, gets new code under load without one failed request, and stops. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deployLines, dropWaiting, startLines, stopLines } from "../support/events.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e } from "../support/naught.js";
import { get } from "../support/request.js";
import { kinds, server } from "../support/servers.js";

for (const kind of kinds) {
  test(
    `${kind.name}: start, deploy under load, stop; no request fails`,
    e2e(async (naught) => {
      naught.write("version", "1");
      const nodeArgs = kind.nodeArgs.length > 0 ? ["--node-args", kind.nodeArgs.join(" ")] : [];
      const start = await naught.succeed(["start", "--worker-count", "2", ...nodeArgs, kind.script]);
      assert.equal(start.stdout, "workers online: 2\n");
      assert.equal(dropWaiting(start.stderr), startLines(2));
      const load = await startLoad(naught, { slowMs: 1_000 });
      naught.write("version", "2");
      const deploy = await naught.succeed(["deploy"]);
      const deployedAt = Date.now();
      assert.equal(dropWaiting(deploy.stderr), deployLines(2, 2));
      await load.saw("2");
      const report = await load.stop();
      assertUnhurt(report);
      assert.deepEqual(Object.keys(report.versions), ["1", "2"]);
      assert.ok(
        (report.versions["1"]?.lastAskedAt ?? Number.NaN) <= deployedAt,
        "old code answered after the deploy",
      );
      const stop = await naught.succeed(["stop"]);
      assert.equal(dropWaiting(stop.stderr), stopLines(2));
    }),
  );
}

test(
  "the app's own children and threads are none of naught's business",
  e2e(async (naught) => {
    await naught.succeed(["start", server("forks.cjs")]);
    assert.deepEqual((await get(naught, "/fork")).body, ["online", { argv: ["argument"], execArgv: [] }]);
    await naught.succeed(["stop"]);
    await naught.succeed(["start", server("threads.cjs")]);
    const { body } = await get(naught, "/thread");
    assert.deepEqual(body.execArgv, []);
    assert.equal(naught.workers().length, 1);
    await naught.succeed(["stop"]);
  }),
);

test(
  "an app that sends anything but the manual's words is served as any other",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "2", server("trash.cjs")]);
    const pids = naught.workers().map((each) => each.pid);
    await get(naught, "/trash");
    await get(naught, "/trash");
    assert.deepEqual(
      naught.workers().map((each) => each.pid),
      pids,
    );
    const deploy = await naught.succeed(["deploy"]);
    assert.equal(dropWaiting(deploy.stderr), deployLines(2, 2));
    await naught.succeed(["stop"]);
  }),
);

test(
  "workers are numbered from 0, and a deploy keeps the numbers",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count=3", server("http.cjs")]);
    const slots = () => naught.workers().map((each) => each.slot);
    assert.deepEqual(slots(), [0, 1, 2]);
    await naught.succeed(["deploy"]);
    assert.deepEqual(slots(), [0, 1, 2]);
    await naught.succeed(["deploy", "--worker-count", "2"]);
    assert.deepEqual(slots(), [0, 1]);
    await naught.succeed(["stop"]);
  }),
);
