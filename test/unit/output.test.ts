import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import type { Socket } from "node:net";
import { after, before, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createOutputs } from "../../src/actors/daemon/output.js";
import type { Handle } from "../../src/protocol/contract.js";
import type { Output } from "../../src/protocol/types.js";
import { createMemoryLog } from "../support/memory-log.js";
import { createPairs, type Pairs, sayLast } from "../support/pipes.js";

let pairs: Pairs;
before(async () => {
  pairs = await createPairs();
});
after(() => pairs.close());

const LONG = 60_000;
const output = (id: number, stream: "stdout" | "stderr"): Output => ({
  worker: { id, slot: 0, pid: 1, generation: 1 },
  stream,
});

function start() {
  const logs = { stdout: createMemoryLog(), stderr: createMemoryLog() };
  const outputs = createOutputs(logs);
  const attach = async (id: number, stream: "stdout" | "stderr"): Promise<Socket> => {
    const { handle, writer } = await pairs.open();
    outputs.attach(output(id, stream), handle);
    return writer;
  };
  return { logs, outputs, attach };
}

test("a line comes to the log when it is whole, and to the log of its stream", async () => {
  const { logs, attach } = start();
  const out = await attach(1, "stdout");
  const err = await attach(1, "stderr");
  out.write("half");
  err.write("an error\n");
  await logs.stderr.whenSaid("an error\n");
  assert.equal(logs.stdout.text, "");
  out.write(" a line\nand");
  await logs.stdout.whenSaid("half a line\n");
  assert.equal(logs.stdout.text, "half a line\n");
  out.end();
  err.end();
  await logs.stdout.whenSaid("and\n");
});

test("the last line gets the newline it lacks", async () => {
  const { logs, outputs, attach } = start();
  const [one, two] = [await attach(1, "stdout"), await attach(2, "stdout")];
  one.write("no newline");
  await sayLast(two, "two\n");
  await logs.stdout.whenSaid("two\n");
  await sayLast(one, "!");
  await outputs.close(LONG);
  assert.equal(logs.stdout.text, "two\nno newline!\n");
});

test("a character cut in two by the pipe stays whole", async () => {
  const { logs, outputs, attach } = start();
  const writer = await attach(1, "stdout");
  const snowman = Buffer.from("☃\n");
  for (const byte of snowman) {
    await new Promise((resolve) => writer.write(Buffer.of(byte), resolve));
    await setImmediate();
  }
  writer.end();
  await outputs.close(LONG);
  assert.equal(logs.stdout.text, "☃\n");
});

test("a line that is too long to be held comes whole all the same, and nobody else's between its pieces", async () => {
  const { logs, outputs, attach } = start();
  const [long, short] = [await attach(1, "stdout"), await attach(2, "stdout")];
  const half = "x".repeat(3 * 1024 * 1024);
  long.write(half);
  await logs.stdout.whenSaid("x".repeat(1024 * 1024));
  short.end("short\n");
  long.end(`${half}\n`);
  await outputs.close(LONG);
  assert.ok(logs.stdout.text === `${half}${half}\nshort\n`);
  const longest = Math.max(...logs.stdout.chunks.map((chunk) => chunk.length));
  assert.ok(longest < 2 * 1024 * 1024, `memory is bounded: a piece of ${longest} bytes`);
});

test("a line without an end does not silence the others", async () => {
  const { logs, outputs, attach } = start();
  const [endless, other] = [await attach(1, "stdout"), await attach(2, "stdout")];
  endless.write("x".repeat(2 * 1024 * 1024));
  await logs.stdout.whenSaid("x".repeat(1024 * 1024));
  other.write("still here\n");
  await logs.stdout.whenSaid("\nstill here\n");
  endless.end();
  other.end();
  await outputs.close(LONG);
});

test("while the log is behind, the worker's pipe is not read", async () => {
  const { logs, outputs, attach } = start();
  logs.stdout.setWritable(false);
  const writer = await attach(1, "stdout");
  const lines = `${"x".repeat(1023)}\n`.repeat(4096);
  const closed = once(writer, "close");
  writer.end(lines);
  for (let turn = 0; turn < 100; turn++) await setImmediate();
  assert.equal(logs.stdout.chunks.length, 0);
  assert.ok(writer.writableLength > 3 * 1024 * 1024, "the bytes wait with their writer");
  logs.stdout.setWritable(true);
  await closed;
  await outputs.close(LONG);
  assert.ok(logs.stdout.text === lines);
});

test("the tail is the last 20 lines of stderr, short and without escapes", async () => {
  const { outputs, attach } = start();
  const writer = await attach(7, "stderr");
  const lines = Array.from({ length: 50 }, (_, i) => `\u001b[31mline ${i}\u001b[39m\u0007 ü`);
  await sayLast(writer, `${lines.join("\n")}\n${"☃".repeat(600)}\nlast words`);
  const tail = await outputs.tail(7, LONG);
  assert.equal(tail.length, 20);
  assert.deepEqual(tail.slice(0, 2), ["line 32 ü", "line 33 ü"]);
  assert.deepEqual(tail.slice(-2), ["☃".repeat(500), "last words"]);
});

test("of a line of many megabytes the tail has the beginning", async () => {
  const { outputs, attach } = start();
  const writer = await attach(1, "stderr");
  await sayLast(writer, `before\n${"x".repeat(5_000_000)}END\nafter\n`);
  assert.deepEqual(await outputs.tail(1, LONG), ["before", "x".repeat(500), "after"]);
});

test("the tail does not wait longer than it is told for a pipe that somebody holds open", async () => {
  const { logs, outputs, attach } = start();
  const writer = await attach(1, "stderr");
  writer.write("first\nunfinished");
  await logs.stderr.whenSaid("first\n");
  assert.deepEqual(await outputs.tail(1, 10), ["first", "unfinished"]);
  writer.end();
  await outputs.close(LONG);
});

test("of a worker that is not known there is no tail, nor of one that has long been gone", async () => {
  const { outputs, attach } = start();
  assert.deepEqual(await outputs.tail(1, LONG), []);
  for (let id = 1; id <= 100; id++) {
    await sayLast(await attach(id, "stderr"), `worker ${id}\n`);
    await outputs.tail(id, LONG);
  }
  assert.deepEqual(await outputs.tail(1, LONG), []);
  assert.deepEqual(await outputs.tail(100, LONG), ["worker 100"]);
  assert.deepEqual(await outputs.tail(100, LONG), ["worker 100"], "also when it is asked for again");
});

test("a worker of a new master has its own tail under an id that was used before", async () => {
  const { outputs, attach } = start();
  const old = await attach(1, "stderr");
  await sayLast(await attach(1, "stderr"), "new\n");
  assert.deepEqual(await outputs.tail(1, LONG), ["new"]);
  await sayLast(old, "old\n");
  await outputs.close(LONG);
  assert.deepEqual(await outputs.tail(1, LONG), ["new"]);
});

test("close does not wait longer than it is told, and keeps what came", async () => {
  const { logs, outputs, attach } = start();
  const writer = await attach(1, "stdout");
  writer.on("error", () => {});
  writer.write("said\nunfinished");
  await logs.stdout.whenSaid("said\n");
  await outputs.close(10);
  assert.equal(logs.stdout.text, "said\nunfinished\n");
  writer.destroy();
});

test("a thousand pipes leave no descriptor behind", async () => {
  const { logs, outputs, attach } = start();
  const count = () => readdirSync("/proc/self/fd").length;
  const cycle = async (id: number) => {
    const writers = [await attach(id, "stdout"), await attach(id, "stderr")];
    await Promise.all(writers.map((writer) => sayLast(writer, `worker ${id}\n`)));
    await outputs.tail(id, LONG);
  };
  await cycle(0);
  await outputs.close(LONG);
  const earlier = count();
  for (let id = 1; id <= 500; id++) await cycle(id);
  await outputs.close(LONG);
  assert.equal(count(), earlier);
  assert.equal(logs.stdout.text.split("\n").length, 502);
  assert.equal(logs.stderr.text.split("\n").length, 502);
});

test("a pipe that comes over a process channel is read to its end, also when its sender is killed", async () => {
  const { logs, outputs } = start();
  const master = spawn(process.execPath, ["-e", MASTER], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const [, handle] = (await once(master, "message")) as [unknown, Handle];
  outputs.attach(output(1, "stdout"), handle);
  await logs.stdout.whenSaid("line 0\n");
  master.kill("SIGKILL");
  await once(master, "exit");
  await outputs.close(LONG);
  assert.equal(logs.stdout.text, Array.from({ length: 2000 }, (_, i) => `line ${i}\n`).join(""));
});

/** Forks a worker and hands its output on in the same tick. */
const MASTER = `
  const worker = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(`
    let i = 0;
    const timer = setInterval(() => {
      for (let n = 0; n < 20; n++) console.log("line " + i++);
      if (i === 2000) clearInterval(timer);
    }, 1);
  `)}], { stdio: ["ignore", "pipe", "inherit"] });
  worker.stdout._handle.readStop();
  process.send("output", worker.stdout._handle, { keepOpen: true });
  setInterval(() => {}, 1000);
`;
