/** What is left of a server, and whether there is somebody better to bring its daemon back. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { identifyServer, isSuperseded } from "../../src/actors/remains.js";
import { stateFile } from "../../src/actors/state-file.js";
import { makeTemp } from "../support/temp.js";
import { until } from "../support/wait.js";

const names = { run: "r", token: "t" };

test("a daemon that is to follow without a master gives way to one that has lived since, and to a master's", async (t) => {
  const { dir, remove } = makeTemp();
  t.after(remove);
  const ipcFile = join(dir, "ipc");
  const leave = (pid: number, run = "r") => {
    const parts = { identity: JSON.stringify(identifyServer({ ...names, run }, pid)) };
    writeFileSync(stateFile(ipcFile), JSON.stringify(parts));
    return parts;
  };
  const master = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  t.after(() => master.kill("SIGKILL"));
  const pid = master.pid ?? 0;

  const parts = leave(pid);
  assert.equal(isSuperseded(ipcFile, parts, 0), true, "the master lives");
  assert.equal(isSuperseded(ipcFile, parts, pid), false, "and has started it");
  assert.equal(isSuperseded(ipcFile, parts, process.pid), true, "another master has");
  leave(0, "another");
  assert.equal(isSuperseded(ipcFile, parts, pid), false, "whose daemon has died without a master");
  assert.equal(isSuperseded(ipcFile, parts, 0), true, "another one has lived since");
  leave(pid);
  const gone = once(master, "exit");
  master.kill("SIGKILL");
  await gone;
  assert.equal(isSuperseded(ipcFile, parts, 0), false, "nobody else is left");
  rmSync(stateFile(ipcFile));
  assert.equal(isSuperseded(ipcFile, parts, 0), true, "it was stopped");
});

test("a master that is stopped brings no daemon back", { skip: process.platform !== "linux" }, async (t) => {
  const { dir, remove } = makeTemp();
  t.after(remove);
  const ipcFile = join(dir, "ipc");
  const master = spawn(process.execPath, ["-e", "process.kill(process.pid, 'SIGSTOP')"], { stdio: "ignore" });
  t.after(() => master.kill("SIGKILL"));
  const parts = { identity: JSON.stringify(identifyServer(names, master.pid ?? 0)) };
  writeFileSync(stateFile(ipcFile), JSON.stringify(parts));
  await until("a master that is stopped", () => !isSuperseded(ipcFile, parts, 0));
});
