/** start as a real process, with a daemon that it spawns: lines, streams and exit codes. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NaughtError } from "../../src/protocol/errors.js";
import type { Start, Started, Status, Stop } from "../../src/protocol/types.js";
import { answer, boot, bootLines, ready } from "../support/cli-boot.js";
import { end, noCounts, staged } from "../support/cli-stage.js";

const online = (count: number): Status => ({
  phase: "online",
  counts: { ...noCounts, online: count },
  waitingFor: null,
  workers: [],
});
staged("a daemon is spawned, told everything, and left alone", async ({ expectStart, run, dir }) => {
  const started: Start[] = [];
  await expectStart(answer(ready, started));
  mkdirSync(join(dir, "app"));
  const args = ["--worker-count", "2", "--cwd", "app", "--drain-grace=3", "server.js", "--cwd", "x"];
  const result = await run(["start", ...args], { env: { NODE_OPTIONS: "--no-warnings", OWN: "1" } });
  assert.deepEqual(result, end(0, "workers online: 2\n", bootLines));
  const [start] = started;
  assert.equal(start?.ipcFile, join(dir, "naught.ipc"));
  assert.equal(start?.pidFile, join(dir, "naught.pid"));
  assert.deepEqual(start?.drain, { grace: 3, timeout: 30 });
  assert.equal(start?.launch.script, join(dir, "server.js"));
  assert.deepEqual(start?.launch.args, ["--cwd", "x"]);
  assert.equal(start?.launch.cwd, join(dir, "app"));
  assert.equal(start?.launch.env.NODE_OPTIONS, "--no-warnings");
  assert.equal(start?.launch.env.OWN, "1");
  assert.equal(start?.launch.env.NODE_CHANNEL_FD, undefined);
  assert.equal(start?.workerCount, 2);
  assert.equal(start?.daemonMode, true);
});

staged("already running: its status, and nothing is started", async ({ listen, expectStart, run }) => {
  const started: Start[] = [];
  await expectStart(answer(ready, started));
  await listen(() => ({ status: () => online(3) }));
  assert.deepEqual(await run(["start", "s.js"]), end(1, "workers online: 3\n", ""));
  assert.deepEqual(await run(["start", "--daemon-mode=false", "s.js"]), end(1, "workers online: 3\n", ""));
  assert.deepEqual(started, []);
});

staged("the other of two starts was faster: the winner's status, once it is there", async (stage) => {
  await stage.expectStart(answer(new NaughtError("AlreadyRunning")));
  const start = stage.spawn(["start", "s.js"]);
  await start.said("stderr", "SpawnNew");
  setTimeout(() => void stage.listen(() => ({ status: () => online(1) })), 300);
  const { code, stdout } = await start.finished;
  assert.deepEqual([code, stdout], [1, "workers online: 1\n"]);
});

staged("a boot that fails", async ({ expectStart, run }) => {
  const reason = "worker 0 exited with code 1";
  await expectStart(answer({ outcome: "failed", counts: noCounts, reason, stderr: ["Error: x"] }));
  const lines = `The server crashed without booting. Check stderr.log.\n${reason}\nlast lines of its stderr:\n    Error: x\n`;
  assert.deepEqual(await run(["start", "s.js"]), end(1, "", bootLines + lines));
  const here = await run(["start", "--daemon-mode", "false", "s.js"]);
  assert.deepEqual(here, end(1, "", bootLines + lines));
});

staged("a boot that is stopped", async ({ expectStart, run }) => {
  await expectStart(answer({ outcome: "stopped", counts: noCounts }));
  const { code, stderr } = await run(["start", "s.js"]);
  assert.deepEqual([code, stderr], [1, `${bootLines}the server was stopped before it was online\n`]);
});

staged("what the daemon refuses is said in one line", async ({ expectStart, run }) => {
  await expectStart(answer(new NaughtError("ScriptNotFound", "/x/s.js does not exist")));
  const { code, stderr } = await run(["start", "s.js"]);
  assert.deepEqual([code, stderr], [1, `${bootLines}unable to start daemon: /x/s.js does not exist\n`]);
});

staged("a daemon that dies before it answers", async ({ run, dir }) => {
  const line = (why: string) => end(1, "", `unable to start daemon: ${why}\n`);
  const die = (how: string) => run(["start", "s.js"], { env: { CLI_TEST_DIE: how } });
  assert.deepEqual(await die("exit"), line("the daemon ended with exit code 7"));
  assert.deepEqual(await die("kill"), line("the daemon was killed by SIGKILL"));
  assert.deepEqual(
    await run(["start", "--cwd", "nowhere", "s.js"]),
    line(`--cwd ${join(dir, "nowhere")} does not exist`),
  );
  writeFileSync(join(dir, "file"), "");
  assert.deepEqual(
    await run(["start", "--cwd", "file", "s.js"]),
    line(`--cwd ${join(dir, "file")} is not a directory`),
  );
});

staged("a stale socket", async ({ expectStart, run, dir }) => {
  const started: Start[] = [];
  // A file at that path refuses connections as a dead daemon's socket does.
  writeFileSync(join(dir, "naught.ipc"), "");
  const server = await expectStart(answer(new NaughtError("StaleIpc"), started));
  const stale =
    "unable to connect to ipc-file `naught.ipc`\n\n1. the ipc file specified is invalid, or\n2. the daemon process died unexpectedly\n";
  assert.deepEqual(await run(["start", "s.js"]), end(1, "", bootLines + stale));
  server.close();
  rmSync(join(dir, "bridge.sock"), { force: true });
  await expectStart(answer(ready, started));
  const removing =
    "unable to connect to ipc-file `naught.ipc`\n\nremoving the ipc-file and attempting to continue\n";
  assert.deepEqual(
    await run(["start", "--remove-old-ipc", "true", "s.js"]),
    end(0, "workers online: 2\n", removing + bootLines),
  );
  assert.deepEqual(
    started.map((start) => start.removeOldIpc),
    [false, true],
  );
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  staged(`${signal} rolls a start back, and more firmly the second time`, async ({ expectStart, spawn }) => {
    const stops: Stop[] = [];
    await expectStart((connection) => {
      let settle: (started: Started) => void = () => {};
      return {
        start: () => {
          boot(connection);
          return new Promise((done) => {
            settle = done;
          });
        },
        stop: (stop) => {
          stops.push(stop);
          connection.event("DestroyNew", { dying: 1 });
          if (stop.timeout !== 0) return new Promise(() => {});
          settle({ outcome: "stopped", counts: noCounts });
          setTimeout(() => connection.socket.end(), 50);
          return {};
        },
      };
    });
    const start = spawn(["start", "s.js"]);
    await start.said("stderr", "SpawnNew");
    start.signal(signal);
    await start.said("stderr", "DestroyNew");
    start.signal(signal);
    const { code, stderr, stdout } = await start.finished;
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /\nstart rolled back\n$/);
    assert.deepEqual(stops, [{ timeout: 1 }, { timeout: 0 }]);
  });
}
