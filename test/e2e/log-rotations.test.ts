/** Rotation over and over, and what is kept of it. ROTATIONS makes it longer. */
import assert from "node:assert/strict";
import fs, { readdirSync, statSync, writeFileSync } from "node:fs";
import { chmod, chown, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { Retention } from "../../src/actors/daemon/archives.js";
import { type Log, openLog } from "../../src/actors/daemon/log.js";
import { unlessCi } from "../support/installed.js";
import { listArchives, numberedLine, readLog, readNumbers } from "../support/log-files.js";
import { countDescriptors } from "../support/processes.js";
import { until } from "../support/wait.js";

const rotations = Number(process.env.ROTATIONS ?? 500);
const maxSize = 20;

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "naught-rotations-"));
  file = join(directory, "stdout.log");
});
afterEach(() => rm(directory, { recursive: true }));

function openHere(retention: Retention, path = file): Promise<Log> {
  const onError = (error: Error) => {
    throw error;
  };
  return openLog({ path, maxSize, ...retention, onError });
}

/** Each line makes the file too large. */
function line(writer: string, number: number): string {
  return numberedLine(writer, number * 90 + 80);
}

async function rotate(log: Log, writer: string, from: number, to: number, look = () => {}): Promise<void> {
  for (let number = from; number < to; number += 1) {
    log.write(Buffer.from(line(writer, number)));
    if (!log.writable) await new Promise<void>((resolve) => log.onDrain(resolve));
    await log.flush();
    look();
  }
}

test(`${rotations} rotations: no more descriptors, and no more files than are to be kept`, async () => {
  const log = await openHere({ maxFiles: 20 });
  const atRest = () => {
    const names = readdirSync(directory);
    return names.length === 21 && names.every((name) => name === "stdout.log" || name.endsWith(".gz"));
  };
  const warm = Math.ceil(rotations / 10);
  await rotate(log, "a", 0, warm);
  await until("the compression to have caught up", atRest, 60_000);
  const before = countDescriptors(process.pid);
  let [descriptors, files] = [0, 0];
  await rotate(log, "a", warm, rotations, () => {
    descriptors = Math.max(descriptors, countDescriptors(process.pid));
    files = Math.max(files, readdirSync(directory).length);
  });
  await until("the compression to have caught up again", atRest, 60_000);
  assert.equal(countDescriptors(process.pid), before);
  await log.close();
  // Those that are being written, set aside, read and compressed at one moment.
  assert.ok(descriptors <= before + 8, `${descriptors} descriptors after ${before}`);
  // And those that may wait to be compressed, and what becomes of one of them.
  assert.ok(files <= 21 + 32 + 1, `${files} files`);
  const kept = readNumbers(await readLog(file)).get("a");
  assert.deepEqual(
    kept,
    Array.from({ length: 20 }, (_, index) => (rotations - 20 + index) * 90 + 80),
  );
});

/** Puts the log aside every few milliseconds until `isOver`; resolves with the longest pause between two. */
async function putAsideUntil(log: Log, isOver: (count: number) => boolean): Promise<number> {
  let [number, last, longest] = [0, performance.now(), 0];
  await until("the end of the burst", () => {
    log.write(Buffer.from(line("a", number)));
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    number += 1;
    return isOver(number);
  });
  return longest;
}

function countCompressed(): number {
  return readdirSync(directory).filter((name) => name.endsWith(".gz")).length;
}

function whenCompressed(): Promise<boolean> {
  return until(
    "all to be compressed",
    () => countCompressed() === readdirSync(directory).length - 1 || undefined,
  );
}

test("while logs fill fast nothing is compressed, and all of it as soon as they do not", async () => {
  const log = await openHere({});
  let [before, longest] = [0, 0];
  do {
    before = countCompressed();
    longest = await putAsideUntil(log, (count) => count === 20);
    // A machine that stood still for so long was at rest.
  } while (longest > 400 && (await whenCompressed()));
  assert.equal(countCompressed(), before);
  await whenCompressed();
  assert.equal(countCompressed(), before + 20);
  await log.close();
});

test("a burst without an end is compressed before anybody has to wait for that", async () => {
  const log = await openHere({});
  let most = 0;
  await putAsideUntil(log, () => {
    most = Math.max(most, readdirSync(directory).length - 1);
    return countCompressed() > 0;
  });
  // Where 32 wait, the log does.
  assert.ok(most < 32, `${most} archives`);
  await log.close();
});

for (const call of ["openSync", "renameSync"] as const)
  test(`a rotation in which ${call} fails is made where there is time for it: nothing is lost or doubled`, async (t) => {
    const log = await openHere({});
    await rotate(log, "a", 0, 2);
    const original = fs[call] as (...args: unknown[]) => unknown;
    const failing = t.mock.method(fs, call, (...args: unknown[]) => {
      // A name for the archive can be had.
      if (args[1] === "wx") return original(...args);
      throw Object.assign(new Error("too many open files"), { code: "EMFILE" });
    });
    syncBuiltinESMExports();
    t.after(syncBuiltinESMExports);
    await rotate(log, "a", 2, 4);
    assert.ok(failing.mock.callCount() > 0, "it was tried");
    failing.mock.restore();
    syncBuiltinESMExports();
    await rotate(log, "a", 4, 6);
    await log.close();
    assert.equal((await listArchives(file)).filter((name) => name.endsWith(".gz")).length, 6);
    assert.deepEqual(
      readNumbers(await readLog(file)).get("a"),
      Array.from({ length: 6 }, (_, index) => index * 90 + 80),
    );
  });

test("archives take no more bytes than they may, and those that are kept are the newest", async () => {
  const maxTotal = 3000;
  const log = await openHere({ maxTotal });
  await rotate(log, "a", 0, 100);
  await log.close();
  const sizes = (await listArchives(file)).map((name) => statSync(join(directory, name)).size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total <= maxTotal && total > maxTotal - 2 * Math.max(...sizes), `${total} bytes`);
  const kept = readNumbers(await readLog(file)).get("a");
  assert.deepEqual(
    kept,
    Array.from({ length: sizes.length }, (_, index) => (100 - sizes.length + index) * 90 + 80),
  );
});

test("a log that is somebody else's stays so, and so do its archives", {
  skip: unlessCi(process.getuid?.() === 0 ? false : "only root may give files away"),
}, async () => {
  await writeFile(file, "");
  await chmod(file, 0o640);
  await chown(file, 1234, 4321);
  const log = await openHere({});
  await rotate(log, "a", 0, 3);
  await log.close();
  const names = readdirSync(directory);
  assert.equal(names.length, 4);
  for (const name of names) {
    const { mode, uid, gid } = await stat(join(directory, name));
    assert.deepEqual([mode & 0o777, uid, gid], [0o640, 1234, 4321], name);
  }
});

test("files that only look like archives are nobody's to remove", async () => {
  const foreign = [
    "stdout-20200101T000000.000Z.log.bak",
    "stdout-20200101T000000.000Z.log.gz.old",
    "stdout-20200101T000000.000Z.log.gz.mine.part",
    "stdout-20200101T000000.log.gz",
    "stdout-20200101T000000.000Z.txt.gz",
    "stdout-mine-20200101T000000.000Z.log.gz",
    "my-stdout-20200101T000000.000Z.log.gz",
    "stdout.log.1",
    "stdout-.log",
  ];
  for (const name of foreign) writeFileSync(join(directory, name), name);
  const log = await openHere({ maxFiles: 1, maxTotal: 1000 });
  await rotate(log, "a", 0, 30);
  await log.close();
  for (const name of foreign) assert.equal(await readFile(join(directory, name), "utf8"), name);
  assert.equal(readdirSync(directory).length, foreign.length + 2);
});

test("logs of two naughts in one directory, of which one's name begins like the other's, keep to themselves", async () => {
  const names = ["stdout.log", "stdout-b.log", "stdout-b.txt"];
  const logs = await Promise.all(names.map((name) => openHere({ maxFiles: 5 }, join(directory, name))));
  await Promise.all(logs.map((log, index) => rotate(log, String(index), 0, 60)));
  await Promise.all(logs.map((log) => log.close()));
  const own = (stem: string) => (name: string) => new RegExp(`^${stem}-2\\d{7}T.*\\.gz$`).test(name);
  for (const stem of ["stdout", "stdout-b"]) {
    const kept = readdirSync(directory).filter(own(stem));
    assert.equal(kept.length, stem === "stdout" ? 5 : 10, stem);
  }
});
