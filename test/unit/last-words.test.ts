/** What a program has written when it ends comes through a pipe as it comes to a file, which Node writes to synchronously. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openFifo, readFrom } from "../../src/actors/daemon/pipe.js";
import { createFifos } from "../../src/actors/master/fifos.js";

const preload = new URL("../support/last-words-preload.js", import.meta.url).href;

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "naught-words-"));
});
after(() => rmSync(folder, { recursive: true }));

/** `say(stream, count)` prints numbered lines. */
const say = `
  let n = 0;
  const say = (stream, count) => {
    for (let i = 0; i < count; i++) process[stream].write("☃ line " + n++ + " " + "x".repeat(n % 180) + "\\n");
  };`;

const programs: readonly (readonly [what: string, script: string])[] = [
  ["process.exit after a burst", `${say} say("stdout", 20000); process.exit(0);`],
  [
    "an uncaught throw after a burst",
    `${say} say("stdout", 9000); say("stderr", 9000); throw new Error("at last");`,
  ],
  ["a rejected promise", `${say} say("stderr", 9000); Promise.reject(new Error("at last"));`],
  [
    "console.log and console.error, turn by turn",
    `
    for (let i = 0; i < 9000; i++) { console.log("out", i); console.error("err", i); }
    process.exit(3);`,
  ],
  [
    "a listener of exit prints",
    `${say} process.on("exit", () => { say("stdout", 9000); say("stderr", 10); });`,
  ],
  ["a listener of exit exits", `${say} process.on("exit", () => { say("stdout", 9000); process.exit(2); });`],
  [
    "a later turn, when the pipe has been full for a while",
    `${say}
    say("stdout", 9000);
    setTimeout(() => { say("stdout", 9000); say("stderr", 1); process.exit(0); }, 50);`,
  ],
  [
    "bytes, encodings and a cork",
    `
    const bytes = Buffer.alloc(300_000, Uint8Array.from({ length: 256 }, (_, i) => i));
    process.stdout.write(bytes);
    process.stdout.write("fffe00", "hex");
    process.stdout.cork();
    process.stdout.write("\\xff\\xfe", "latin1");
    process.stdout.write(new Uint8Array(bytes));
    process.stdout.write("☃");
    process.stdout.uncork();
    process.exit(0);`,
  ],
  ["a megabyte in one string", `console.log("☃".repeat(500_000)); process.exit(0);`],
  [
    "a replaced write",
    `${say}
    const { write } = process.stdout;
    process.stdout.write = (text, ...rest) => write.call(process.stdout, "> " + text, ...rest);
    say("stdout", 9000); process.exit(0);`,
  ],
  ["nothing", ""],
];

for (const [index, [what, script]] of programs.entries()) {
  test(`${what}: all of it comes, once and in order, to a reader that is late`, async () => {
    const file = join(folder, `${index}.cjs`);
    writeFileSync(file, script);
    const [outs, errs] = [join(folder, `${index}.out`), join(folder, `${index}.err`)];
    const fds = [openSync(outs, "w"), openSync(errs, "w")] as const;
    const [code] = await once(
      spawn(process.execPath, ["--import", preload, file], { stdio: ["ignore", ...fds] }),
      "exit",
    );
    for (const fd of fds) closeSync(fd);
    const fifos = createFifos({ procfs: false, directory: folder });
    const [out, err] = [fifos.take(), fifos.take()];
    if (!out || !err) throw new Error(fifos.obstacle);
    const stdio = ["ignore", out.writer, err.writer] as const;
    const child = spawn(process.execPath, ["--import", preload, file], { stdio: [...stdio] });
    for (const { writer } of [out, err]) closeSync(writer);
    const worker = { id: 1, slot: 0, pid: child.pid ?? 0, generation: 1 };
    const exit = once(child, "exit");
    await delay(300);
    const read = ({ path }: { path: string }) =>
      buffer(readFrom(openFifo({ worker, stream: "stdout", path }).fd));
    const [said, complained] = await Promise.all([read(out), read(err)]);
    assert.equal((await exit)[0], code);
    assert.ok(
      said.equals(readFileSync(outs)),
      `${said.length} bytes instead of ${readFileSync(outs).length}`,
    );
    assert.ok(complained.equals(readFileSync(errs)), `${complained.length}: ${complained.subarray(-300)}`);
    for (const fifo of [out, err]) fifo.release();
    fifos.close();
  });
}

test("nobody reads: it ends all the same", async () => {
  const fifos = createFifos({ procfs: false, directory: folder });
  const fifo = fifos.take();
  if (!fifo) throw new Error(fifos.obstacle);
  const script = 'process.stdout.write("x".repeat(1e6)); process.exit(5);';
  const child = spawn(process.execPath, ["--import", preload, "-e", script], {
    stdio: ["ignore", fifo.writer, "inherit"],
  });
  assert.deepEqual(await once(child, "exit"), [5, null]);
  closeSync(fifo.writer);
  fifo.release();
  fifos.close();
});

test("a program hears as ever that its reader is gone", async () => {
  const script = `
    process.stdout.on("error", ({ code }) => process.exit(code === "EPIPE" ? 6 : 1));
    process.stdin.once("data", () => process.stdout.write("a line", (error) => error || process.exit(2)));`;
  const child = spawn(process.execPath, ["--import", preload, "-e", script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdout?.destroy();
  child.stdin?.write("go");
  assert.deepEqual(await once(child, "exit"), [6, null]);
});

test("a program that puts something of its own in the place of its stdout keeps that", async () => {
  const script = `
    const { get } = Object.getOwnPropertyDescriptor(process, "stdout");
    let asked = 0;
    Object.defineProperty(process, "stdout", { configurable: true, get: () => (asked++, get.call(process)) });
    for (let line = 0; line < 3; line++) process.stdout.write("a line");
    process.exit(asked === 3 ? 6 : 1);`;
  const child = spawn(process.execPath, ["--import", preload, "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  assert.deepEqual(await once(child, "exit"), [6, null]);
});

test("a stream that the program does not touch is not opened", {
  skip: process.platform !== "linux",
}, async () => {
  const fifos = createFifos({ procfs: false, directory: folder });
  const fifo = fifos.take();
  if (!fifo) throw new Error(fifos.obstacle);
  // Node makes a pipe non-blocking when it opens it.
  const script = `
    const { flags } = /^flags:\\s*(?<flags>\\d+)/m.exec(require("fs").readFileSync("/proc/self/fdinfo/1", "latin1")).groups;
    process.exit(parseInt(flags, 8) & require("fs").constants.O_NONBLOCK ? 1 : 0);`;
  const child = spawn(process.execPath, ["--import", preload, "-e", script], {
    stdio: ["ignore", fifo.writer, "inherit"],
  });
  assert.deepEqual(await once(child, "exit"), [0, null]);
  closeSync(fifo.writer);
  fifo.release();
  fifos.close();
});
