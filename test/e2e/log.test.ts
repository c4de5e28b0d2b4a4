import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, watch } from "node:fs";
import promises, {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { type Log, openLog } from "../../src/actors/daemon/log.js";
import { listArchives, numberedLine, readLog, readNumbers } from "../support/log-files.js";
import { until } from "../support/wait.js";

const run = promisify(execFile);
const LOG_MODULE = new URL("../../src/actors/daemon/log.js", import.meta.url).href;

let directory: string;
let file: string;
let errors: string[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "naught-log-"));
  file = join(directory, "stdout.log");
  errors = [];
});
afterEach(() => rm(directory, { recursive: true }));

function openHere(maxSize: number, path = file): Promise<Log> {
  return openLog({ path, maxSize, onError: (error) => errors.push(error.message) });
}

async function whenWritable(log: Log): Promise<void> {
  if (!log.writable) await new Promise<void>((resolve) => log.onDrain(resolve));
}

function untilTold(count: number): Promise<unknown> {
  return until(`${count} errors`, () => errors.length >= count);
}

/** No archive is left plain, or half compressed. */
async function whenSwept(): Promise<void> {
  const isSwept = () => readdirSync(directory).every((name) => !/^stdout-\d.*\.(log|part)$/.test(name));
  const watcher = watch(directory);
  await new Promise<void>((resolve) => {
    const check = () => isSwept() && resolve();
    watcher.on("change", check);
    check();
  });
  watcher.close();
}

test("bursts of several writers at 300 bytes: every line is there once, whole and in order", async () => {
  const log = await openHere(300);
  const count = 3000;
  const writers = ["a", "b", "c", "d"].map(async (writer) => {
    for (let number = 0; number < count; ) {
      const burst = Math.min(count - number, (number % 11) + 1);
      const lines = Array.from({ length: burst }, (_, i) => numberedLine(writer, number + i));
      log.write(Buffer.from(lines.join("")));
      number += burst;
      // The next writer's turn, and now and then the disk's.
      await (number % 3 === 0 ? new Promise(setImmediate) : undefined);
      await whenWritable(log);
    }
  });
  await Promise.all(writers);
  await log.close();
  const numbers = readNumbers(await readLog(file));
  assert.deepEqual([...numbers.keys()].sort(), ["a", "b", "c", "d"]);
  for (const own of numbers.values()) assert.deepEqual(own, [...Array(count).keys()]);
  const archives = await listArchives(file);
  assert.ok(archives.length > 1000, `${archives.length} archives`);
  for (const name of archives) assert.match(name, /^stdout-\d{8}T\d{6}\.\d{3}Z(_\d{4})?\.log\.gz$/);
  assert.deepEqual(errors, []);
});

test("a write is not split over two files, also when it is larger than a file should be", async () => {
  const log = await openHere(300);
  const long = `${"x".repeat(1000)}\n`;
  for (let i = 0; i < 3; i++) {
    log.write(Buffer.from("short\n"));
    log.write(Buffer.from(long));
  }
  await log.close();
  assert.equal(await readFile(file, "utf8"), "");
  assert.equal((await listArchives(file)).length, 3);
  assert.equal(await readLog(file), `short\n${long}`.repeat(3));
});

test("a line that comes in pieces stays in one file", async () => {
  const log = await openHere(300);
  const piece = "x".repeat(500);
  for (const part of [piece, piece, "\n"]) log.write(Buffer.from(part));
  await log.close();
  assert.equal((await listArchives(file)).length, 1);
  assert.equal(await readLog(file), `${piece}${piece}\n`);
});

test("a file of exactly the largest size is not rotated, and one byte more is too much", async () => {
  const log = await openHere(300);
  log.write(Buffer.from(`${"x".repeat(299)}\n`));
  await log.close();
  assert.deepEqual(await listArchives(file), []);
  const again = await openHere(300);
  again.write(Buffer.from("\n"));
  await again.close();
  assert.equal((await listArchives(file)).length, 1);
});

test("a file that is there is appended to; one that is too large is rotated first", async () => {
  await writeFile(file, "yesterday\n");
  const log = await openHere(300);
  log.write(Buffer.from("today\n"));
  await log.close();
  assert.equal(await readFile(file, "utf8"), "yesterday\ntoday\n");
  const large = "x".repeat(400);
  await writeFile(file, `${large}\n`);
  const second = await openHere(300);
  second.write(Buffer.from("fresh\n"));
  await second.close();
  assert.equal(await readFile(file, "utf8"), "fresh\n");
  assert.equal(await readLog(file), `${large}\nfresh\n`);
});

test("archives and the log after them are as private as the log was", async () => {
  await writeFile(file, "x".repeat(400));
  await chmod(file, 0o600);
  const log = await openHere(300);
  await log.close();
  const [archive = ""] = await listArchives(file);
  for (const path of [file, join(directory, archive)]) assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test("directories are made, also by several logs at once", async () => {
  const paths = ["one", "two", "three"].map((name) => join(directory, "a", "b", "c", `${name}.log`));
  const logs = await Promise.all(paths.map((path) => openHere(300, path)));
  for (const log of logs) log.write(Buffer.from("here\n"));
  await Promise.all(logs.map((log) => log.close()));
  for (const path of paths) assert.equal(await readFile(path, "utf8"), "here\n");
});

test("/dev/null is no log, and is always ready for more", async () => {
  const log = await openHere(1, "/dev/null");
  log.write(Buffer.from("gone\n"));
  assert.equal(log.writable, true);
  await log.close();
  assert.ok((await stat("/dev/null")).isCharacterDevice());
});

test("what cannot be opened is told with its path and the cause, in one line", async () => {
  await writeFile(file, "");
  await assert.rejects(openHere(300, directory), new Error(`cannot open ${directory}: it is a directory`));
  const below = join(file, "below.log");
  await assert.rejects(openHere(300, below), new Error(`cannot open ${below}: ENOTDIR: not a directory`));
  await assert.rejects(
    openHere(300, "/proc/naught/x.log"),
    /^Error: cannot open \/proc\/naught\/x\.log: ENOENT: [a-z ]+$/,
  );
  const fifo = join(directory, "fifo");
  await run("mkfifo", [fifo]);
  await assert.rejects(openHere(300, fifo), new Error(`cannot open ${fifo}: it is not a file`));
});

test("a device that is full is told once, and does not keep the log from closing", async () => {
  const log = await openHere(1, "/dev/full");
  for (let i = 0; i < 1000; i++) log.write(Buffer.from("no room\n"));
  await log.close();
  assert.deepEqual(errors, [
    "cannot write /dev/full: ENOSPC: no space left on device",
    "/dev/full lost 8000 bytes that could not be written",
  ]);
});

test("when the place for archives is gone the log goes on, and says so once", async () => {
  const log = await openHere(300);
  await rename(directory, `${directory}-moved`);
  await writeFile(directory, "in the way");
  for (let i = 0; i < 100; i++) log.write(Buffer.from(numberedLine("a", i)));
  await log.close();
  await rm(directory);
  await rename(`${directory}-moved`, directory);
  assert.deepEqual(readNumbers(await readFile(file, "utf8")).get("a"), [...Array(100).keys()]);
  assert.deepEqual(errors, [`cannot rotate ${file}: ENOTDIR: not a directory`]);
});

test("a log that somebody has moved away is made anew at the next rotation", async () => {
  const log = await openHere(300);
  await rename(file, join(directory, "mine"));
  log.write(Buffer.from(`${"x".repeat(400)}\n`));
  await new Promise(setImmediate);
  await log.close();
  assert.deepEqual(errors, []);
  assert.equal(await readFile(file, "utf8"), "");
  assert.equal((await readFile(join(directory, "mine"))).length, 401);
});

test("that a log was moved away is noticed also while lines come faster than its disk takes them", async (t) => {
  // As of a disk that is not this machine's own: every write has to be waited for.
  t.mock.method(promises, "statfs", async () => ({ type: 0x6969 }));
  syncBuiltinESMExports();
  const log = await openHere(2 ** 40);
  t.mock.restoreAll();
  syncBuiltinESMExports();
  let number = 0;
  let isOver = false;
  const flood = async (): Promise<void> => {
    while (!isOver) {
      const lines = Array.from({ length: 50 }, () => numberedLine("a", number++));
      log.write(Buffer.from(lines.join("")));
      if (!log.writable) await new Promise<void>((resolve) => log.onDrain(resolve));
      else if (number % 1000 === 0) await new Promise(setImmediate);
    }
  };
  t.after(() => {
    isOver = true;
  });
  const flooded = flood();
  const moved = join(directory, "mine");
  await rename(file, moved);
  await untilTold(1);
  isOver = true;
  await flooded;
  await log.close();
  assert.deepEqual(errors, [`${file} was moved or removed; a new one is begun`]);
  const text = (await readFile(moved, "utf8")) + (await readFile(file, "utf8"));
  assert.equal(text.split("\n").length - 1, number);
});

test("that a log was moved away is told once, also when it cannot be begun anew for a while", async () => {
  await symlink("/dev/full", file);
  const log = await openHere(2 ** 40);
  log.write(Buffer.from(numberedLine("a", 0)));
  await untilTold(1);
  await rm(file);
  await mkdir(file);
  await untilTold(2);
  // So that it is looked for several times.
  await delay(2_500);
  await rmdir(file);
  await until("the line", async () => (await readFile(file, "utf8").catch(() => "")) !== "");
  await log.reopen();
  await log.close();
  assert.deepEqual(readNumbers(await readLog(file)).get("a"), [0]);
  assert.deepEqual(errors, [
    `cannot write ${file}: ENOSPC: no space left on device`,
    `cannot reopen ${file}: it is a directory`,
    `${file} was moved or removed; a new one is begun`,
  ]);
});

test("what was written to a log after it was removed is in the new one, whoever notices first", async () => {
  for (const size of [300, 1_000_000]) {
    const log = await openHere(size);
    const write = (from: number, to: number) => {
      for (let number = from; number < to; number++) log.write(Buffer.from(numberedLine("a", number)));
    };
    await rm(file);
    write(0, 50);
    if (size > 300) await log.reopen();
    else await log.flush();
    write(50, 60);
    await log.close();
    assert.deepEqual(readNumbers(await readLog(file)).get("a"), [...Array(60).keys()]);
    await rm(directory, { recursive: true });
    await mkdir(directory);
  }
  assert.deepEqual(errors, []);
});

test("a log that was removed, and whose directory cannot be made, is told once and loses nothing", async () => {
  const path = join(directory, "logs", "stdout.log");
  const log = await openHere(1_000_000, path);
  await rm(join(directory, "logs"), { recursive: true });
  await writeFile(join(directory, "logs"), "in the way");
  log.write(Buffer.from(numberedLine("a", 0)));
  await untilTold(1);
  log.write(Buffer.from(numberedLine("a", 1)));
  // It has tried again.
  await log.reopen();
  assert.deepEqual(errors, [`cannot reopen ${path}: ENOTDIR: not a directory`]);
  await rm(join(directory, "logs"));
  await untilTold(2);
  log.write(Buffer.from(numberedLine("a", 2)));
  await log.close();
  assert.equal(errors[1], `${path} was moved or removed; a new one is begun`);
  assert.deepEqual(readNumbers(await readLog(path)).get("a"), [0, 1, 2]);
});

test("an archive that was left plain is compressed at the next start, and one that stands already is not doubled", async () => {
  const [plain, both] = ["stdout-20240101T000000.000Z.log", "stdout-20240102T000000.000Z_0001.log"];
  await writeFile(join(directory, plain), "first\n");
  await writeFile(join(directory, both), "second\n");
  await run("gzip", ["-k", join(directory, both)]);
  await writeFile(join(directory, `${plain}.gz.part`), "half of it");
  await writeFile(join(directory, "stdout-mine.log"), "not ours\n");
  const log = await openHere(300);
  await whenSwept();
  await log.close();
  assert.deepEqual(await listArchives(file), [`${plain}.gz`, `${both}.gz`, "stdout-mine.log"]);
  assert.equal(await readLog(file), "first\nsecond\nnot ours\n");
});

test("what a process has compressed that is dead but not buried is removed", {
  skip: process.platform !== "linux",
}, async () => {
  const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [pid] = await once(parent.stdout, "data");
  await until("the child to end", () =>
    /^State:\tZ/m.test(readFileSync(`/proc/${Number(pid)}/status`, "utf8")),
  );
  await writeFile(join(directory, `stdout-20240101T000000.000Z.log.gz.${Number(pid)}.part`), "half of it");
  const log = await openHere(300);
  await whenSwept();
  await log.close();
  parent.kill();
  assert.deepEqual(await listArchives(file), []);
});

test("killed again and again while it rotates: no line is doubled or torn, and none is missing before the last", async () => {
  const program = `
    const { openLog } = await import(${JSON.stringify(LOG_MODULE)});
    const log = await openLog({ path: process.argv[1], maxSize: 20_000, onError: (error) => { throw error; } });
    const line = ${numberedLine.toString()};
    for (let number = 0; ; number++) {
      log.write(Buffer.from(line(process.argv[2], number)));
      if (number === 3000) process.send("busy");
      if (!log.writable) await new Promise((resolve) => log.onDrain(resolve));
      if (number % 50 === 0) await new Promise(setImmediate);
    }`;
  for (let life = 0; life < 15; life++) {
    const args = ["--input-type=module", "-e", program, file, `life${life}`];
    const daemon = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    await once(daemon, "message");
    for (let turn = 0; turn < life * 40; turn++) await new Promise(setImmediate);
    daemon.kill("SIGKILL");
    await once(daemon, "exit");
    // A kill may come between the two halves of one write; a real line follows it either way.
    const text = await readFile(file, "utf8").catch(() => "");
    if (text !== "" && !text.endsWith("\n")) await writeFile(file, text.slice(0, text.lastIndexOf("\n") + 1));
  }
  const log = await openHere(20_000);
  await whenSwept();
  await log.close();
  for (const [life, numbers] of readNumbers(await readLog(file))) {
    assert.deepEqual(numbers, [...Array(numbers.length).keys()], life);
  }
});

test("a disk that fills up and is emptied again costs no line and tears none", async (t) => {
  const disk = join(directory, "disk");
  await mkdir(disk);
  const mounted = await run("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]).then(
    () => true,
    () => false,
  );
  if (!mounted) return t.skip("may not mount");
  try {
    const filler = join(disk, "filler");
    await writeFile(filler, Buffer.alloc(230 * 1024));
    const full = new Promise<void>((resolve) => {
      errors.push = (...words) => {
        resolve();
        return Array.prototype.push.apply(errors, words);
      };
    });
    const path = join(disk, "stdout.log");
    const log = await openHere(30_000, path);
    for (let number = 0; number < 2000; number++) log.write(Buffer.from(numberedLine("a", number)));
    await full;
    await rm(filler);
    for (let number = 2000; number < 3000; number++) log.write(Buffer.from(numberedLine("a", number)));
    await log.close();
    assert.deepEqual(readNumbers(await readLog(path)).get("a"), [...Array(3000).keys()]);
    assert.ok(
      errors.some((error) => /^cannot \w+ .*stdout\.log: ENOSPC: no space left on device$/.test(error)),
    );
  } finally {
    await run("umount", [disk]);
  }
});

test("naught's own stdout as a log: a reader that is slow holds back, one that goes away is nobody's harm", async () => {
  const program = `
    const { streamLog } = await import(${JSON.stringify(LOG_MODULE)});
    const log = streamLog(process.stdout);
    const chunk = Buffer.from("x".repeat(65535) + "\\n");
    let written = 0;
    for (; log.writable && written < 100; written++) log.write(chunk);
    log.onDrain(() => process.send("drained"));
    process.send(written);
    process.on("message", async () => {
      for (let i = 0; i < 10; i++) log.write(chunk);
      await log.close();
      process.send(log.writable);
      process.disconnect();
    });`;
  const args = ["--input-type=module", "-e", program];
  const naught = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  const [written] = await once(naught, "message");
  assert.ok(written < 100, `behind after ${written} writes`);
  naught.stdout?.destroy();
  assert.deepEqual(await once(naught, "message"), ["drained", undefined]);
  naught.send("go on");
  assert.deepEqual(await once(naught, "message"), [true, undefined]);
  assert.deepEqual(await once(naught, "exit"), [0, null]);
});
