/** Descriptors, processes, files and directories may run out or go: naught stays, says what is wrong, and is whole again. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { Status } from "../../src/protocol/types.js";
import { makeGate } from "../support/gate.js";
import { e2e, type Naught } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { failCalls, takeDescriptors } from "../support/starve.js";
import { until } from "../support/wait.js";

async function ask(naught: Naught, ipcFile = "naught.ipc"): Promise<Status> {
  return JSON.parse((await naught.succeed(["status", "--json", ipcFile])).stdout) as Status;
}

async function findMaster(naught: Naught): Promise<number> {
  return (await ask(naught)).master?.pid ?? 0;
}

/** Kills the worker of slot 1, whose replacement cannot be started, for the reason that is told; the other one serves. */
async function loseWorker(naught: Naught, reason: RegExp): Promise<void> {
  kill(naught.workers().find(({ slot }) => slot === 1)?.pid ?? 0);
  await naught.wrote("naught.log", reason, 30_000);
  assert.equal((await get(naught)).status, 200);
}

async function assertWhole(naught: Naught, master: number): Promise<void> {
  await until(
    "two workers online",
    async () => (await ask(naught)).counts.online === 2 && naught.workers().length === 2,
    60_000,
  );
  assert.equal(await findMaster(naught), master, "it is the same master");
  assert.equal((await get(naught)).status, 200);
}

const two = ["start", "--worker-count", "2", "--balance", "shared", server("http.cjs")];

test(
  "a master without a descriptor left cannot fork, says so, and does as soon as it can",
  e2e(async (naught) => {
    await naught.succeed(two);
    const master = await findMaster(naught);
    const giveBack = takeDescriptors(master);
    await loseWorker(naught, /worker 1 could not be started: too many open files; failure 2 in a row/);
    giveBack();
    await assertWhole(naught, master);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a master that gets no more processes says so, and tries again",
  e2e(async (naught) => {
    await naught.succeed(two);
    const master = await findMaster(naught);
    const giveBack = await failCalls(master, "clone,clone3,fork,vfork", "EAGAIN");
    naught.defer(giveBack);
    await loseWorker(naught, /could not be started: the system allows no more processes; failure 2 in a row/);
    await giveBack();
    await assertWhole(naught, master);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a daemon without a descriptor left serves on, and answers again as soon as it can",
  e2e(async (naught) => {
    await naught.succeed(two);
    const master = await findMaster(naught);
    const daemon = naught.daemon();
    const giveBack = takeDescriptors(daemon);
    const asked = naught.run(["status"]);
    assert.equal((await get(naught)).status, 200);
    giveBack();
    await asked;
    await assertWhole(naught, master);
    assert.equal(naught.daemon(), daemon);
    await naught.succeed(["stop"]);
  }),
);

test(
  "writes and renames that fail in the daemon end nothing",
  e2e(async (naught) => {
    await naught.succeed(two);
    const master = await findMaster(naught);
    for (const [calls, error] of [
      ["rename,renameat,renameat2", "EROFS"],
      ["accept,accept4", "EMFILE"],
      ["listen", "EADDRINUSE"],
    ] as const) {
      const giveBack = await failCalls(naught.daemon(), calls, error);
      naught.defer(giveBack);
      const asked = naught.run(["status"]);
      rmSync(naught.path("naught.pid"));
      assert.equal((await get(naught)).status, 200);
      kill(naught.workers()[0]?.pid ?? 0);
      await until("the worker to be replaced", () => naught.workers().length === 2, 30_000);
      await giveBack();
      await asked;
      await naught.wrote("naught.pid", /\d/, 40_000);
    }
    await assertWhole(naught, master);
    await naught.succeed(["stop"]);
  }),
);

test(
  "an ipc file or pid file that somebody removed is there again, and so is their directory",
  e2e(async (naught) => {
    const files = ["--ipc-file", "run/naught.ipc", "--pid-file", "run/naught.pid"];
    await naught.succeed(["start", ...files, server("http.cjs")]);
    const pid = naught.read("run/naught.pid");
    rmSync(naught.path("run/naught.ipc"));
    await naught.wrote("naught.log", /naught\.ipc was gone; it is there again/);
    assert.equal((await ask(naught, "run/naught.ipc")).counts.online, 1);
    rmSync(naught.path("run"), { recursive: true });
    await until(
      "both files",
      () => existsSync(naught.path("run/naught.ipc")) && naught.read("run/naught.pid") !== "",
    );
    assert.equal(naught.read("run/naught.pid"), pid);
    assert.equal((await ask(naught, "run/naught.ipc")).counts.online, 1);
    const second = await naught.run(["start", ...files, server("http.cjs")]);
    assert.deepEqual([second.code, second.stdout], [1, "workers online: 1\n"]);
    await naught.succeed(["stop", "run/naught.ipc"]);
    assert.equal(existsSync(naught.path("run/naught.ipc")), false);
    assert.equal(existsSync(naught.path("run/naught.pid")), false);
  }),
);

test(
  "what stands in the place of the files is left alone, and what was wrong is told once",
  e2e(async (naught) => {
    const files = ["--ipc-file", "run/naught.ipc", "--pid-file", "naught.pid"];
    await naught.succeed(["start", ...files, server("http.cjs")]);
    rmSync(naught.path("run"), { recursive: true });
    writeFileSync(naught.path("run"), "a file");
    const log = await naught.wrote(
      "naught.log",
      /naught\.ipc is gone, and cannot be made anew: .*not a directory/,
    );
    assert.equal((await get(naught)).status, 200);
    rmSync(naught.path("run"));
    mkdirSync(naught.path("run"));
    await until("the ipc file", () => existsSync(naught.path("run/naught.ipc")), 40_000);
    assert.equal((await ask(naught, "run/naught.ipc")).counts.online, 1);
    assert.equal(log.match(/cannot be made anew/g)?.length, 1);
    await naught.succeed(["stop", "run/naught.ipc"]);
  }),
);

test(
  "a script that is gone when its worker dies is told, and its coming back is noticed; a deploy without it fails",
  e2e(async (naught) => {
    const script = naught.write("app/server.cjs", "");
    const text = `require(${JSON.stringify(server("http.cjs"))});`;
    writeFileSync(script, text);
    await naught.succeed(["start", "--worker-count", "2", "--balance", "shared", script]);
    const master = await findMaster(naught);
    rmSync(script);
    await loseWorker(naught, /worker 1 could not be started: .*server\.cjs is gone; failure 2 in a row/);
    const deploy = await naught.run(["deploy"]);
    assert.equal(deploy.code, 1);
    assert.match(deploy.stderr, /cannot use the script .*server\.cjs: no such file or directory/);
    writeFileSync(script, text);
    await assertWhole(naught, master);
    await naught.succeed(["deploy"]);
    await naught.succeed(["stop"]);
    assert.ok(readFileSync(naught.path("naught.log"), "utf8").includes("Ready."));
  }),
);

test(
  "a script that is replaced during a deploy: the deploy is done with what was read, and replacements come when it is good again",
  e2e(async (naught) => {
    const gate = makeGate(naught);
    const code = readFileSync(gate.script, "utf8");
    // Says that it was read.
    const script = naught.write("app.cjs", `${code}\nconsole.log("read by", process.pid);`);
    const good = readFileSync(script, "utf8");
    await naught.succeed(["start", "--worker-count", "2", "--balance", "shared", script]);
    const master = await findMaster(naught);
    const old = naught.workers().map(({ pid }) => pid);
    gate.shut();
    const deploy = naught.spawn(["deploy"]);
    await until("the new workers to have read it", () => {
      const fresh = naught.workers().filter(({ pid }) => !old.includes(pid));
      const log = readFileSync(naught.path("stdout.log"), "utf8");
      return fresh.length === 2 && fresh.every(({ pid }) => log.includes(`read by ${pid}\n`));
    });
    writeFileSync(script, "throw new Error('half of a release');");
    gate.open();
    assert.equal((await deploy.finished).code, 0);
    await loseWorker(naught, /failure 2 in a row/);
    assert.equal((await naught.run(["deploy"])).code, 1);
    assert.equal((await get(naught)).status, 200);
    writeFileSync(script, good);
    await assertWhole(naught, master);
    await naught.succeed(["deploy"]);
    await naught.succeed(["stop"]);
  }),
);
