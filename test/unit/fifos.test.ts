/** The FIFOs that workers print into: made by the master, opened by any number of daemons one after the other. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createOutputs } from "../../src/actors/daemon/output.js";
import { canOpenThroughProc } from "../../src/actors/daemon/pipe.js";
import { createFifos, type Fifo } from "../../src/actors/master/fifos.js";
import { createMemoryLog } from "../support/memory-log.js";

let folder: string;
let temporary: string | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "naught-fifos-"));
  temporary = process.env.TMPDIR;
  process.env.TMPDIR = folder;
});
afterEach(() => {
  if (temporary === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = temporary;
  rmSync(folder, { recursive: true });
});

const procfs = canOpenThroughProc(process.pid);
const countFifos = () =>
  readdirSync("/proc/self/fd").filter((fd) =>
    attempt(() => readlinkSync(`/proc/self/fd/${fd}`)).includes(folder),
  ).length;

function attempt(look: () => string): string {
  try {
    return look();
  } catch {
    return "";
  }
}

function take(fifos: { take(): Fifo | undefined; readonly obstacle: string | undefined }): Fifo {
  const fifo = fifos.take();
  if (!fifo) throw new Error(fifos.obstacle);
  return fifo;
}

function startReading() {
  const logs = { stdout: createMemoryLog(), stderr: createMemoryLog() };
  const said: string[] = [];
  const outputs = createOutputs(logs, (line) => said.push(line));
  const worker = { id: 1, slot: 0, pid: process.pid, generation: 1 };
  const attach = (path: string) => outputs.attach({ worker, stream: "stdout", path }, undefined);
  return { logs, said, outputs, attach };
}

test("many are made at once, and none has a name where /proc can do without", () => {
  const fifos = createFifos({ procfs: true, directory: "/" });
  fifos.reserve(130);
  assert.equal(countFifos(), 130);
  assert.deepEqual(readdirSync(folder), []);
  fifos.close();
  assert.equal(countFifos(), 0);
});

test("where there is no /proc the name stays until the FIFO is over, and no longer", () => {
  const fifos = createFifos({ procfs: false, directory: "/" });
  const fifo = take(fifos);
  closeSync(fifo.writer);
  assert.ok(existsSync(fifo.path));
  fifo.release();
  assert.equal(existsSync(fifo.path), false);
  fifos.close();
  assert.deepEqual(readdirSync(folder), []);
  assert.equal(countFifos(), 0);
});

test("where they cannot be made it says why, and finds the other place", () => {
  process.env.TMPDIR = join(folder, "missing");
  const nowhere = createFifos({ procfs: true, directory: "/proc" });
  assert.equal(nowhere.take(), undefined);
  assert.match(nowhere.obstacle ?? "", /ENOENT/);
  const fifos = createFifos({ procfs: false, directory: folder });
  const fifo = take(fifos);
  assert.ok(fifo.path.startsWith(folder));
  closeSync(fifo.writer);
  fifo.release();
  fifos.close();
});

for (const through of procfs ? [true, false] : [false]) {
  const way = through ? "through /proc" : "by its name";
  test(`${way}: a writer without a reader is not ended, and all it said is there for one that comes later`, async () => {
    const fifos = createFifos({ procfs: through, directory: "/" });
    const fifo = take(fifos);
    const script = `
      process.stdout.on("error", () => process.exit(3));
      for (let i = 0; i < 500; i++) console.log("line " + i);
      require("node:child_process").execFileSync("echo", ["from its child"], { stdio: "inherit" });
      if (process.stdout.constructor.name !== "Socket" || process.stdout._type !== "pipe") process.exit(4);`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", fifo.writer, "inherit"] });
    closeSync(fifo.writer);
    assert.deepEqual(await once(child, "exit"), [0, null]);
    const { logs, attach } = startReading();
    await attach(fifo.path);
    const lines = Array.from({ length: 500 }, (_, i) => `line ${i}\n`).join("");
    assert.equal(logs.stdout.text, `${lines}from its child\n`);
    fifo.release();
    fifos.close();
    assert.equal(countFifos(), 0);
  });

  test(`${way}: a FIFO that is told of again is not read twice, and both are answered at its end`, async () => {
    const fifos = createFifos({ procfs: through, directory: "/" });
    const fifo = take(fifos);
    const { logs, attach } = startReading();
    const both = [attach(fifo.path), attach(fifo.path)];
    const open = countFifos();
    for (let i = 0; i < 100; i++) {
      writeSync(fifo.writer, `line ${i}\n`);
      await setImmediate();
    }
    assert.equal(countFifos(), open);
    closeSync(fifo.writer);
    await Promise.all(both);
    assert.equal(logs.stdout.text, Array.from({ length: 100 }, (_, i) => `line ${i}\n`).join(""));
    fifo.release();
    fifos.close();
  });
}

test("a FIFO that is gone is told once, by its worker", async () => {
  const { said, attach } = startReading();
  const worker = spawn("true");
  await once(worker, "exit");
  await attach(join(folder, "gone"));
  await attach(join(folder, "gone"));
  assert.deepEqual(said, ["cannot read what worker 0 prints: ENOENT: no such file or directory"]);
});
