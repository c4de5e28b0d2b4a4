/** Deploys that are interrupted: by an abort, Ctrl-C, a terminal that goes away, a crash, a stop. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { countsLine, deployLines, dropWaiting, eventLines, line, withoutVerdict } from "../support/events.js";
import { hangingDeploy } from "../support/hanging-deploy.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e } from "../support/naught.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

test(
  "deploy-abort while new workers boot: the old ones serve on, and a good deploy succeeds",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs")]);
    const load = await startLoad(naught, { slowMs: 500 });
    const deploy = await hangingDeploy(naught);
    const counts = countsLine({ booting: 1, online: 1 });
    assert.equal((await naught.run(["status"])).stdout, `deploy in progress\n${counts}\n`);
    const abort = await naught.run(["deploy-abort"]);
    assert.equal(abort.code, 0);
    assert.match(abort.stderr, /^deploy aborted$/m);
    const aborted = await deploy.finished;
    assert.equal(aborted.code, 1);
    assert.deepEqual(withoutVerdict(aborted.stderr).slice(1), [
      line("DestroyNew", { online: 1, dying: 1 }),
      line("NewDestroyed", { online: 1 }),
    ]);
    assert.equal(dropWaiting((await naught.succeed(["deploy"])).stderr), deployLines(1, 1));
    assertUnhurt(await load.stop());
    await naught.succeed(["stop"]);
  }),
);

test(
  "Ctrl-C during a deploy aborts it",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs")]);
    const pids = naught.workers();
    const deploy = await hangingDeploy(naught);
    deploy.interrupt();
    await deploy.said("stderr", /^aborting deploy$/m);
    assert.equal((await deploy.finished).code, 1);
    assert.deepEqual(naught.workers(), pids);
    assert.equal((await naught.run(["status"])).stdout, "workers online: 1\n");
    await naught.succeed(["stop"]);
  }),
);

test(
  "deploy-abort while old workers leave kills them; the new ones serve",
  e2e(async (naught) => {
    await naught.succeed(["start", server("hangs.cjs")]);
    const deploy = naught.spawn(["deploy", "--script", server("http.cjs")]);
    await deploy.said("stderr", "ShutdownOld");
    const abort = await naught.run(["deploy-abort"]);
    assert.equal(abort.code, 0);
    assert.match(abort.stderr, /^deploy aborted$/m);
    const done = await deploy.finished;
    assert.equal(done.code, 0);
    assert.deepEqual(eventLines(done.stderr).slice(-2), [
      line("DestroyOld", { dying: 1, new_online: 1 }),
      line("OldExit", { new_online: 1 }),
    ]);
    await naught.succeed(["stop"]);
  }),
);

for (const workers of [2, 4]) {
  test(
    `a client whose terminal goes away does not end its deploy, with ${workers} workers`,
    e2e(async (naught) => {
      naught.write("version", "1");
      await naught.succeed(["start", "--worker-count", String(workers), server("http.cjs")]);
      naught.write("version", "2");
      const deploy = naught.spawn(["deploy"]);
      await deploy.said("stderr", "SpawnNew");
      deploy.hangUp();
      await until("the new version", async () => (await get(naught)).body.version === "2");
      const status = `workers online: ${workers}\n`;
      await until("rest", async () => (await naught.run(["status"])).stdout === status);
      await naught.succeed(["stop"]);
    }),
  );
}

test(
  "Ctrl-C at any moment of a deploy leaves a server at rest",
  e2e(async (naught) => {
    naught.write("version", "0");
    await naught.succeed(["start", "--worker-count", "2", server("http.cjs")]);
    const load = await startLoad(naught, { slow: 0 });
    for (const moment of ["", "SpawnNew", "NewOnline", "ShutdownOld", "OldExit"]) {
      const deploy = naught.spawn(["deploy"]);
      await deploy.said("stderr", moment);
      deploy.interrupt();
      await deploy.finished;
      const rest = "workers online: 2\n";
      await until(`rest after ${moment}`, async () => (await naught.run(["status"])).stdout === rest);
      assert.equal(naught.workers().length, 2);
    }
    assert.deepEqual((await load.stop()).failures.refused, undefined);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a worker that dies while a deploy is in flight is replaced",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "2", server("dying.cjs")]);
    const deploy = await hangingDeploy(naught);
    await get(naught, "/exit").catch(() => undefined);
    await naught.wrote("naught.log", /WorkerOnline/);
    deploy.interrupt();
    await deploy.finished;
    assert.deepEqual(
      naught.workers().map((each) => each.slot),
      [0, 1],
    );
    await naught.succeed(["stop"]);
  }),
);

test(
  "stop during a deploy stops all of it",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "2", server("http.cjs")]);
    const deploy = await hangingDeploy(naught);
    assert.equal((await naught.run(["stop", "--timeout", "2"])).code, 0);
    assert.equal((await deploy.finished).code, 1);
  }),
);
