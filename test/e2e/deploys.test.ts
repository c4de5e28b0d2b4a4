/** Deploys: many in a row, bad ones, slow ones, two at a time. The old workers serve until the new ones do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deployLines, dropWaiting, eventNames, line, lines, withoutVerdict } from "../support/events.js";
import { hangingDeploy } from "../support/hanging-deploy.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e, type Naught } from "../support/naught.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";

const failed = "Deploy failed. Check stderr.log and usage of 'online' and 'shutdown' events.\n";
const inProgress = "Deploy already in progress. Press Ctrl+C to abort.\n";

for (const workers of [2, 8]) {
  test(
    `ten deploys in a row with ${workers} workers, responses of 2 s in flight: no request fails`,
    e2e(async (naught) => {
      naught.write("version", "0");
      await naught.succeed(["start", "--worker-count", String(workers), server("http.cjs")]);
      const load = await startLoad(naught, { keepAlive: 8, fresh: 4, slow: 4 });
      for (let round = 1; round <= 10; round += 1) {
        naught.write("version", String(round));
        const deploy = await naught.succeed(["deploy"]);
        assert.equal(dropWaiting(deploy.stderr), deployLines(workers, workers));
        await load.saw(String(round));
        assert.equal(naught.workers().length, workers);
      }
      const report = await load.stop();
      assertUnhurt(report);
      assert.deepEqual(Object.keys(report.versions), "0 1 2 3 4 5 6 7 8 9 10".split(" "));
      await naught.succeed(["stop"]);
    }, 180_000),
  );
}

for (const [what, script, options, reason] of [
  ["throws", "throws.cjs", [], /worker \d[\s\S]*this release is broken/],
  ["exits", "exits.cjs", [], /worker \d[\s\S]*nothing to do here/],
  ["hangs", "never-online.cjs", ["--timeout", "1"], /time|second|1 s/i],
] as const) {
  test(
    `a release that ${what} leaves the old one serving and says why; then a good one is deployed`,
    e2e(async (naught) => {
      naught.write("version", "1");
      await naught.succeed(["start", "--worker-count", "2", server("http.cjs")]);
      const pids = naught.workers();
      const load = await startLoad(naught, { slowMs: 500 });
      const bad = await naught.run(["deploy", ...options, "--script", server(script)]);
      assert.deepEqual([bad.code, bad.stdout], [1, failed]);
      assert.match(bad.stderr, reason);
      assert.equal(eventNames(bad.stderr).includes("ShutdownOld"), false);
      assert.deepEqual(naught.workers(), pids);
      assert.equal((await naught.run(["status"])).stdout, "workers online: 2\n");
      naught.write("version", "2");
      const good = await naught.succeed(["deploy"]);
      assert.equal(dropWaiting(good.stderr), deployLines(2, 2));
      await load.saw("2");
      assertUnhurt(await load.stop());
      await naught.succeed(["stop"]);
    }),
  );
}

test(
  "a deploy that times out says what it did, event by event",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs")]);
    const deploy = await naught.run(["deploy", "--timeout", "0.5", "--script", server("never-online.cjs")]);
    const expected = [
      line("SpawnNew", { booting: 1, online: 1 }),
      line("Timeout", { booting: 1, online: 1 }),
      line("DestroyNew", { online: 1, dying: 1 }),
      line("NewDestroyed", { online: 1 }),
    ];
    assert.deepEqual(withoutVerdict(deploy.stderr), expected);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a failed deploy kills the other new workers at once",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "2", server("http.cjs")]);
    const deploy = await naught.run(["deploy", "--worker-count", "2", "--script", halfBroken(naught)]);
    assert.deepEqual([deploy.code, deploy.stdout], [1, failed]);
    assert.match(deploy.stderr, /worker 1/);
    const names = withoutVerdict(deploy.stderr).map((each) => each.slice(0, each.indexOf(".")));
    assert.deepEqual(names, [...["SpawnNew", "SpawnNew", "NewDeath", "DestroyNew", "NewDestroyed"]]);
    assert.equal(naught.workers().length, 2);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a second deploy attaches to the first and ends as that one does",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs")]);
    const first = await hangingDeploy(naught);
    const second = naught.spawn(["deploy"]);
    await second.said("stderr", inProgress);
    second.interrupt();
    assert.equal((await second.finished).code, 1);
    assert.equal((await first.finished).code, 1);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a second deploy that attaches to a good one ends with done",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs")]);
    const slow = get(naught, "/slow?ms=1500&id=slow");
    const first = naught.spawn(["deploy"]);
    await first.said("stderr", "ShutdownOld");
    const second = await naught.run(["deploy"]);
    assert.equal(second.code, 0);
    assert.ok(second.stderr.startsWith(inProgress), second.stderr);
    assert.match(second.stderr, /^done$/m);
    assert.equal((await first.finished).code, 0);
    assert.equal((await slow).status, 200);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a deploy whose old workers hang is done at its timeout, and says how many had to be killed",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "2", server("hangs.cjs")]);
    const deploy = await naught.run(["deploy", "--timeout", "1.5", "--script", server("http.cjs")]);
    assert.deepEqual([deploy.code, deploy.stdout], [0, ""]);
    const tail = lines(
      line("Timeout", { dying: 2, new_online: 2 }),
      line("DestroyOld", { dying: 2, new_online: 2 }),
      line("DestroyOld", { dying: 2, new_online: 2 }),
      line("OldExit", { dying: 1, new_online: 2 }),
      line("OldExit", { new_online: 2 }),
    );
    assert.ok(deploy.stderr.includes(tail), deploy.stderr);
    assert.match(
      deploy.stderr.slice(deploy.stderr.indexOf(tail) + tail.length),
      /^done.*\b2\b|\b2\b[\s\S]*^done/m,
    );
    await naught.succeed(["stop"]);
  }),
);

/** A release of which only the second worker fails. */
function halfBroken(naught: Naught): string {
  return naught.write(
    "half.cjs",
    `if (process.env.NAUGHT_WORKER === "1") throw new Error("half broken"); setInterval(() => undefined, 1000);`,
  );
}
