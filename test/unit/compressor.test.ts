/** Archives are compressed by a program, or without it; either way the whole file comes back. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { createCompressor } from "../../src/actors/daemon/compressor.js";
import { until } from "../support/wait.js";

let folder: string;
let from: string;
let to: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "naught-compressor-"));
  from = join(folder, "archive");
  to = join(folder, "archive.gz");
});
afterEach(() => rm(folder, { recursive: true }));

for (const [name, program] of [
  ["with gzip", "gzip"],
  ["without gzip", join(tmpdir(), "naught-no-such-program")],
] as const) {
  test(`${name}: files of any size come back, with mode and owner`, async () => {
    const compressor = createCompressor(program);
    for (const size of [0, 1, 1000, 256 * 1024, 256 * 1024 + 1, 3 * 1024 * 1024]) {
      const bytes = randomBytes(size);
      await writeFile(from, bytes);
      await chmod(from, 0o640);
      await compressor.compress(from, to, true);
      assert.ok(gunzipSync(await readFile(to)).equals(bytes), `${size} bytes`);
      const [before, after] = [await stat(from), await stat(to)];
      assert.deepEqual([after.mode, after.uid, after.gid], [before.mode, before.uid, before.gid]);
    }
  });
}

test("what fails is told in the program's words", async () => {
  const program = join(folder, "program");
  await writeFile(program, "#!/bin/sh\necho 'program: stdout: no space left' >&2\nexit 1\n", { mode: 0o755 });
  await writeFile(from, randomBytes(1024 * 1024));
  const compressed = createCompressor(program).compress(from, to, false);
  await assert.rejects(compressed, new Error("program: stdout: no space left"));
});

test("the program has a low priority, and ends at once when it is aborted", async () => {
  const compressor = createCompressor();
  await writeFile(from, "");
  // A hole is read quickly, but there is much of it.
  await truncate(from, 20 * 1024 ** 3);
  const compressed = compressor.compress(from, to, false);
  const children = `/proc/${process.pid}/task/${process.pid}/children`;
  const findChild = async (): Promise<number> => Number((await readFile(children, "utf8")).split(" ")[0]);
  await until("the program to be at work", async () => {
    const pid = await findChild();
    return pid > 0 && (await readFile(`/proc/${pid}/comm`, "utf8")) === "gzip\n";
  });
  assert.equal(getPriority(await findChild()), 10);
  compressor.abort();
  await assert.rejects(compressed, { name: "AbortError" });
});
