/** Daemon and master killed with -9: what is begun of survival. Nothing is left behind, and nothing stands in the next start's way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dropWaiting, startLines } from "../support/events.js";
import { hangingDeploy } from "../support/hanging-deploy.js";
import { e2e, type Naught } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { findMaster, findTree } from "../support/tree.js";
import { until } from "../support/wait.js";

/** A worker that does not leave by itself is given five seconds more than this. */
const impatient = ["--drain-grace", "0", "--drain-timeout", "0"];

const allGone = (naught: Naught) =>
  until("everything to be gone", () => naught.processes().length === 0, 20_000);

async function assertStartsAgain(naught: Naught): Promise<void> {
  const start = await naught.succeed(["start", server("http.cjs")]);
  assert.equal(start.stdout, "workers online: 1\n");
  assert.equal(dropWaiting(start.stderr), startLines(1));
  await naught.succeed(["stop"]);
}

test(
  "killed in the foreground: the workers are shut down in order, and a new start works as if nothing had been",
  e2e(async (naught) => {
    const script = naught.write(
      "server.cjs",
      `require(${JSON.stringify(server("http-core.cjs"))});
      process.on("message", (message) => {
        if (message !== "shutdown") return;
        require("node:fs").writeFileSync("goodbye-" + process.env.NAUGHT_WORKER, "");
        process.exit(0);
      });`,
    );
    const start = naught.spawn(["start", "--daemon-mode", "false", "--worker-count", "2", script]);
    await start.said("stdout", "workers online: 2");
    kill(naught.daemon());
    await allGone(naught);
    await naught.wrote("goodbye-0", /^$/);
    await naught.wrote("goodbye-1", /^$/);
    await assertStartsAgain(naught);
  }),
);

test(
  "a daemon killed during a deploy: the command goes on with the next one, and so does the deploy",
  e2e(async (naught) => {
    await naught.succeed(["start", ...impatient, server("http.cjs")]);
    const deploy = await hangingDeploy(naught);
    const killed = naught.daemon();
    kill(killed);
    await until(
      "a new daemon",
      () => /^\d+\n$/.test(naught.read("naught.pid")) && naught.daemon() !== killed,
    );
    await naught.succeed(["deploy-abort"]);
    const { code, stderr } = await deploy.finished;
    assert.equal(code, 1);
    assert.match(stderr, /deploy aborted\n$/);
    await naught.succeed(["deploy"]);
    await naught.succeed(["stop"]);
    await allGone(naught);
    await assertStartsAgain(naught);
  }),
);

test(
  "a daemon killed during the boot leaves nobody behind",
  e2e(async (naught) => {
    const start = naught.spawn(["start", ...impatient, server("never-online.cjs")]);
    await start.said("stderr", "SpawnNew");
    kill(Number(await naught.wrote("naught.pid", /\n/)));
    const { code, stderr } = await start.finished;
    assert.equal(code, 1);
    assert.match(stderr, /unable to start daemon: the daemon was killed by SIGKILL\n$/);
    await allGone(naught);
    await assertStartsAgain(naught);
  }),
);

test(
  "daemon, master and workers killed at once leave nothing in the way",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "2", server("http.cjs")]);
    await naught.killAll();
    assert.equal((await naught.run(["status"])).code, 1);
    await assertStartsAgain(naught);
  }),
);

test(
  "a killed master is followed by another, with the same launch and count, again and again",
  e2e(async (naught) => {
    await naught.succeed(["start", server("echo.cjs"), "first"]);
    await naught.succeed(["deploy", "--worker-count", "2", "--", "second"], { env: { COLOUR: "blue" } });
    for (let round = 0; round < 2; round += 1) {
      const before = await findTree(naught, 2);
      kill(before.master);
      const isNew = async () => {
        const { master, workers } = await findTree(naught, 2);
        return master !== before.master && !workers.some((pid) => before.workers.includes(pid));
      };
      await until("a new master with new workers", isNew);
      await until("its workers to be online", async () => {
        return (await naught.run(["status"])).stdout === "workers online: 2\n";
      });
      const { body } = await get(naught, "/echo");
      assert.deepEqual((body.argv as string[]).slice(2), ["second"]);
      assert.equal((body.env as Record<string, string>).COLOUR, "blue");
    }
    const log = naught.read("naught.log");
    assert.match(log, /the master process was killed by SIGKILL; a new one starts now\n/);
    assert.match(log, /the master process was killed by SIGKILL; a new one starts in 0\.5 s\n/);
    await naught.succeed(["deploy"]);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a master killed during a deploy fails the deploy, and the old code serves on",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs")]);
    const before = await findTree(naught, 1);
    const deploy = await hangingDeploy(naught);
    kill(before.master);
    const { code, stderr } = await deploy.finished;
    assert.equal(code, 1);
    assert.match(stderr, /the master process was killed by SIGKILL\n$/);
    await until("the service to be back", async () => {
      return (await naught.run(["status"])).stdout === "workers online: 1\n";
    });
    assert.equal((await get(naught, "/")).status, 200);
    await naught.succeed(["deploy"]);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a master killed during the boot fails the start, with the reason",
  e2e(async (naught) => {
    const start = naught.spawn(["start", server("never-online.cjs")]);
    await start.said("stderr", "SpawnNew");
    kill(await findMaster(naught));
    const { code, stderr } = await start.finished;
    assert.equal(code, 1);
    assert.match(stderr, /unable to start daemon: the master process was killed by SIGKILL\n$/);
    await allGone(naught);
    await assertStartsAgain(naught);
  }),
);

test(
  "a master killed during a stop: the daemon waits for its workers in its place, and kills them when it is told to",
  e2e(async (naught) => {
    await naught.succeed(["start", ...impatient, server("hangs.cjs")]);
    const { master } = await findTree(naught, 1);
    const stop = naught.spawn(["stop"]);
    await stop.said("stderr", "ShutdownOld");
    kill(master);
    await stop.said("stderr", /waiting for worker 0 \(pid \d+\): dying/);
    const second = await naught.run(["stop", "--timeout", "0"]);
    assert.equal(second.code, 0);
    assert.match(second.stderr, /DestroyOld\. booting: 0, online: 0, dying: 1, new_online: 0\n/);
    assert.equal((await stop.finished).code, 0);
    await allGone(naught);
    await assertStartsAgain(naught);
  }),
);
