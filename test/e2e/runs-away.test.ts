/** What naught runs on goes away: node itself, memory, the calls by which it writes. Nobody who is served notices. */
import assert from "node:assert/strict";
import { constants, copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { test } from "node:test";
import { assertUnhurt, startLoad } from "../support/load.js";
import { makeMemoryGroup } from "../support/memory-group.js";
import { e2e, type Naught, program } from "../support/naught.js";
import { isAlive, kill } from "../support/processes.js";
import { get } from "../support/request.js";
import { launch } from "../support/running.js";
import { server } from "../support/servers.js";
import { failCalls, limitMemory, tamperWithFile } from "../support/starve.js";
import { askStatus, awaitStatus, isSettled } from "../support/survival.js";
import { until } from "../support/wait.js";

const two = ["start", "--worker-count", "2", "--drain-grace", "1"];

function copyNode(naught: Naught, name: string): void {
  copyFileSync(process.execPath, naught.path(name), constants.COPYFILE_FICLONE);
}

test(
  "node is removed: a deploy fails, the next daemon waits for it; and it may be replaced",
  e2e(async (naught) => {
    copyNode(naught, "node");
    const options = { cwd: naught.dir, env: naught.env };
    const start = [program, ...two, server("http.cjs")];
    assert.equal((await launch(naught.path("node"), start, options).finished).code, 0);
    const load = await startLoad(naught, { slowMs: 500 });
    const before = await awaitStatus(naught, "the server", (status) => isSettled(status, 2));
    rmSync(naught.path("node"));
    const failed = await naught.run(["deploy"]);
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /could not be started: .*node is gone/);
    kill(naught.daemon());
    await until("the daemon to be gone", () => !isAlive(before.daemon?.pid ?? 0));
    assert.equal((await get(naught)).status, 200);
    copyNode(naught, "next");
    renameSync(naught.path("next"), naught.path("node"));
    const after = await awaitStatus(naught, "the next daemon", (status) => isSettled(status, 2));
    assert.equal(after.master?.pid, before.master?.pid);
    await naught.succeed(["deploy"]);
    assertUnhurt(await load.stop());
    await naught.succeed(["stop"]);
  }),
);

test(
  "a worker that the kernel kills for want of memory is replaced, and the log says why it died",
  e2e(async (naught) => {
    const group = makeMemoryGroup(150_000_000);
    await naught.succeed([...two, server("grows.cjs")]);
    for (const { pid } of naught.processes()) group?.add(pid);
    // Where there are no control groups to be made, the workers themselves find that there is no more.
    if (!group) for (const { pid } of naught.workers()) limitMemory(pid, 400_000_000);
    if (group) naught.defer(() => until("the group to be empty", () => attempt(group.remove)));
    const before = naught.workers().map(({ pid }) => pid);
    const grown = await get(naught, "/grow");
    assert.equal(grown.status, 200);
    await naught.wrote("naught.log", group ? /killed by SIGKILL.*memory/ : /WorkerDeath/, 30_000);
    const status = await awaitStatus(naught, "two workers", (now) => isSettled(now, 2));
    assert.equal(status.workers.filter(({ pid }) => before.includes(pid)).length, 1);
    await naught.succeed(["stop"]);
  }),
);

function attempt(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

test(
  "files whose writing fails in daemon and master end nothing, and cost no request",
  e2e(async (naught) => {
    await naught.succeed([...two, server("http.cjs")]);
    const load = await startLoad(naught, { slowMs: 500 });
    const { daemon, master } = await awaitStatus(naught, "the server", (status) => isSettled(status, 2));
    // Files only: without these calls, pipes and sockets cannot be had at all.
    for (const [pid, calls, error] of [
      [daemon?.pid ?? 0, "unlink,unlinkat,mkdir,mkdirat", "EROFS"],
      [master?.pid ?? 0, "mkdir,mkdirat,mknod,mknodat,pipe2,memfd_create", "ENOSPC"],
    ] as const) {
      const giveBack = await failCalls(pid, calls, error);
      naught.defer(giveBack);
      const deploy = await naught.run(["deploy"]);
      await giveBack();
      if (deploy.code !== 0) await naught.succeed(["deploy"]);
    }
    const state = naught.path("naught.ipc.state");
    const own = `${state}.${daemon?.pid}`;
    const giveBack = await tamperWithFile(daemon?.pid ?? 0, "write,pwrite64", "error=ENOSPC", own);
    naught.defer(giveBack);
    await naught.succeed(["deploy"]);
    await naught.wrote("naught.log", /\.state is gone, and cannot be made anew: .*no space left/, 20_000);
    await giveBack();
    await naught.wrote("naught.log", /\.state was gone; it is there again/, 40_000);
    assert.ok(existsSync(state));
    const after = await awaitStatus(naught, "the same two", (status) => isSettled(status, 2));
    assert.deepEqual([after.daemon?.pid, after.master?.pid], [daemon?.pid, master?.pid]);
    assertUnhurt(await load.stop());
    await naught.succeed(["stop"]);
    assert.equal(await askStatus(naught), undefined);
  }),
);
