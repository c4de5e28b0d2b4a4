/** The places of a daemon's files are full, read-only or gone, also while one daemon follows another. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { test } from "node:test";
import { findDiskObstacle, mountDisk } from "../support/disk.js";
import { unlessCi } from "../support/installed.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e, type Naught } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { server } from "../support/servers.js";
import { leaveStaleSocket } from "../support/stale.js";
import { until } from "../support/wait.js";

const skip = unlessCi(findDiskObstacle());
const files = ["--ipc-file", "run/naught.ipc", "--pid-file", "run/naught.pid"];
const ipcFile = "run/naught.ipc";
const brief = ["--worker-count", "2", "--drain-grace", "1"];

const readPid = (naught: Naught): number => Number(naught.read("run/naught.pid"));
const deploy = (naught: Naught) => naught.succeed(["deploy", ipcFile]);

/** Resolves when a daemon that is not `before` can be reached. */
async function awaitSuccessor(naught: Naught, before: number): Promise<void> {
  await until("the pid file", () => readPid(naught) > 0 && readPid(naught) !== before, 60_000);
  await until("the ipc file", () => existsSync(naught.path(ipcFile)), 60_000);
  const { stdout } = await naught.succeed(["status", ipcFile]);
  assert.equal(stdout, "workers online: 2\n");
}

for (const [what, spoil, why] of [
  ["full", "fill", "no space left on the device"],
  ["read-only", "setReadOnly", "the file system is read-only"],
] as const) {
  test(
    `the directory of ipc file and pid file is ${what}: deploys go on, and so does the daemon's follower`,
    { skip },
    e2e(async (naught) => {
      const disk = mountDisk(naught, "run");
      await naught.succeed(["start", ...files, ...brief, server("http.cjs")]);
      const load = await startLoad(naught, { slowMs: 500 });
      await disk[spoil](true);
      await deploy(naught);
      // What was removed because it could not be written has made room.
      await disk[spoil](true);
      const before = readPid(naught);
      kill(before);
      const told = /run\/naught\.ipc is gone, and cannot be made anew: .*/g;
      const log = await naught.wrote("naught.log", told, 30_000);
      assert.match(log, /Recovered\./);
      assert.match(log, new RegExp(`cannot be made anew: .*${why}`));
      if (spoil === "fill") disk.empty();
      else await disk.setReadOnly(false);
      await awaitSuccessor(naught, before);
      await deploy(naught);
      assertUnhurt(await load.stop());
      assert.equal(naught.read("naught.log").match(told)?.length, 1);
      await naught.succeed(["stop", ipcFile]);
      assert.deepEqual(readdirSync(naught.path("run")), []);
    }),
  );
}

test(
  "the directory of ipc file and pid file is removed as the daemon dies: the next one makes it anew",
  e2e(async (naught) => {
    await naught.succeed(["start", ...files, ...brief, server("http.cjs")]);
    const load = await startLoad(naught, { slowMs: 500 });
    const before = readPid(naught);
    kill(before);
    rmSync(naught.path("run"), { recursive: true });
    await awaitSuccessor(naught, before);
    await deploy(naught);
    assertUnhurt(await load.stop());
    await naught.succeed(["stop", ipcFile]);
    assert.deepEqual(readdirSync(naught.path("run")), []);
  }),
);

test(
  "a pid file with something else in it is written anew, unless it names a process that lives",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs")]);
    const own = naught.read("naught.pid");
    const gone = naught.spawn(["version"]);
    await gone.finished;
    for (const text of ["garbage\n", `${gone.pid}\n`]) {
      naught.write("naught.pid", text);
      await until("the pid file", () => naught.read("naught.pid") === own, 20_000);
    }
    naught.write("naught.pid", `${process.pid}\n`);
    await naught.wrote("naught.log", /naught\.pid is somebody else's now; it is left alone/, 20_000);
    await naught.succeed(["stop"]);
    assert.equal(readFileSync(naught.path("naught.pid"), "utf8"), `${process.pid}\n`);
  }),
);

test(
  "what a power cut, or a killed daemon, has left behind is in nobody's way, and is cleaned up",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs")]);
    await naught.killAll();
    const owner = JSON.parse(naught.read("naught.ipc.owner")) as object;
    // The numbers of the dead are others' by now: this test's own.
    naught.write(
      "naught.ipc.owner",
      JSON.stringify({ ...owner, pid: process.pid, bootId: "an earlier one" }),
    );
    naught.write("naught.pid", `${process.pid}\n`);
    const gone = naught.spawn(["version"]);
    await gone.finished;
    for (const name of ["naught.pid", "naught.ipc.owner", "naught.ipc.state"])
      naught.write(`${name}.${gone.pid}`, "");
    naught.write(`naught.pid.${process.pid}`, "somebody's who lives");
    await leaveStaleSocket(naught, `.${gone.pid}`);
    await naught.succeed(["start", server("http.cjs")]);
    assert.equal((await naught.succeed(["status"])).stdout, "workers online: 1\n");
    await naught.succeed(["stop"]);
    assert.deepEqual(
      readdirSync(naught.dir).filter((name) => /^(naught\.(ipc|pid)|\.\d)/.test(name)),
      [`naught.pid.${process.pid}`],
    );
  }),
);
