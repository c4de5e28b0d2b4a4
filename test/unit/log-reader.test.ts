/** Logs read page by page: archives and the log as one, from anywhere, across rotations. */
import assert from "node:assert/strict";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { openLog } from "../../src/actors/daemon/log.js";
import { createLogReader, type LogReader } from "../../src/actors/daemon/log-reader.js";
import type { LogsPage, ReadLogs } from "../../src/protocol/types.js";

let folder: string;
let file: string;
let reader: LogReader;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "naught-reader-"));
  file = join(folder, "stdout.log");
  reader = createLogReader({ stdout: file, stderr: "/dev/null", log: join(folder, "naught.log") });
});
afterEach(async () => {
  await reader.close();
  await rm(folder, { recursive: true });
});

const read = (params: ReadLogs): Promise<LogsPage> => reader.read(params, () => {});
const bytesOf = ({ text, base64 = "" }: LogsPage): Buffer =>
  text === undefined ? Buffer.from(base64, "base64") : Buffer.from(text);

/** Everything from there on, as it is now. */
async function readAll(params: ReadLogs): Promise<Buffer> {
  const parts: Buffer[] = [];
  let page = await read(params);
  for (
    ;
    !page.end;
    page = await read({ cursor: page.cursor, ...(params.size ? { size: params.size } : {}) })
  ) {
    parts.push(bytesOf(page));
  }
  return Buffer.concat(parts);
}

const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `☃ line ${from + i}\n`).join("");

/** Lines 0 to 99 in a compressed archive, to 199 in a plain one, to 299 in the log. */
async function writeThree(): Promise<void> {
  await writeFile(join(folder, "stdout-20260101T000000.000Z.log.gz"), gzipSync(lines(0, 100)));
  await writeFile(join(folder, "stdout-20260102T000000.000Z.log"), lines(100, 200));
  await writeFile(file, lines(200, 300));
  await writeFile(join(folder, "stdout-mine.log"), "not an archive\n");
}

test("everything, in pages of any size", async () => {
  await writeThree();
  for (const size of [1024, 1500, 65_536]) assert.equal((await readAll({ size })).toString(), lines(0, 300));
});

test("the last lines, wherever they begin", async () => {
  await writeThree();
  for (const count of [0, 1, 99, 100, 101, 150, 200, 250, 299, 300, 1000]) {
    assert.equal(
      (await readAll({ lines: count })).toString(),
      lines(Math.max(0, 300 - count), 300),
      `${count}`,
    );
  }
});

test("since some time: the oldest archive that was set aside after it, and all that follows", async () => {
  await writeThree();
  const since = (day: string) => readAll({ since: `2026-01-${day}T12:00:00.000Z` });
  assert.equal((await since("01")).toString(), lines(100, 300));
  assert.equal((await since("02")).toString(), lines(200, 300));
});

test("a log that is rotated and compressed while it is read is read on, each line once", async () => {
  const log = await openLog({ path: file, maxSize: 3000, maxFiles: 1000, onError: assert.fail });
  const parts: Buffer[] = [];
  let page = await read({ size: 1024 });
  for (let number = 0; number < 3000; number += 50) {
    log.write(Buffer.from(lines(number, number + 50)));
    await log.flush();
    page = await read({ cursor: page.cursor, size: 1024 });
    parts.push(bytesOf(page));
  }
  await log.close();
  parts.push(await readAll({ cursor: page.cursor }));
  assert.equal(Buffer.concat(parts).toString(), lines(0, 3000));
});

test("at the end it waits for more, and for no longer than it is told", async () => {
  await writeFile(file, "first\n");
  const first = await read({});
  const began = performance.now();
  assert.deepEqual(await read({ cursor: first.cursor, wait: 0.2 }), { ...first, text: "", end: true });
  assert.ok(performance.now() - began >= 190);
  const next = read({ cursor: first.cursor, wait: 60 });
  await writeFile(file, "second\n", { flag: "a" });
  assert.equal((await next).text, "second\n");
});

test("another file in the log's place is read from its beginning", async () => {
  await writeFile(file, "a long first line\n");
  const { cursor } = await read({});
  await rename(file, join(folder, "elsewhere"));
  await writeFile(file, "new\n");
  assert.equal((await read({ cursor })).text, "new\n");
});

test("an archive that was removed is passed over", async () => {
  await writeThree();
  const { cursor } = await read({ size: 1024 });
  await rm(join(folder, "stdout-20260101T000000.000Z.log.gz"));
  assert.ok((await readAll({ cursor })).toString().endsWith(lines(200, 300)));
});

test("bytes that are no text, and lines longer than a page", async () => {
  const bytes = Buffer.concat([Buffer.from([0xff, 0, 10]), Buffer.from(`${"☃".repeat(200_000)}\n`)]);
  await writeFile(file, bytes);
  assert.ok((await readAll({})).equals(bytes));
  assert.ok((await readAll({ size: 1024 })).equals(bytes));
});

test("a line that is not whole yet waits for its end", async () => {
  await writeFile(file, "whole\nhalf");
  const page = await read({});
  assert.equal(page.text, "whole\n");
  assert.equal((await read({ cursor: page.cursor })).end, true);
  await writeFile(file, " a line\n", { flag: "a" });
  assert.equal((await read({ cursor: page.cursor })).text, "half a line\n");
});

test("what is not logged has no path; a cursor of nobody's is refused", async () => {
  assert.deepEqual(await read({ log: "stderr" }), { text: "", cursor: "", end: true, over: true });
  await assert.rejects(read({ cursor: "nonsense" }), { kind: "UnknownCursor" });
});

test("who waits is answered when the server ends", async () => {
  await writeFile(file, "last\n");
  const { cursor } = await read({});
  const waiting = read({ cursor, wait: 60 });
  await reader.close();
  assert.deepEqual([(await waiting).end, (await waiting).over], [true, true]);
});
