/**
 * A disk that is full or fails, a directory that is removed or made read-only, while requests are served and lines are
 * printed: no request fails, naught says so once and recovers by itself, and what it says it has lost is what is missing.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { LogInfo, Status } from "../../src/protocol/types.js";
import { askCounts, audit, countMissing } from "../support/audit.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { listArchives } from "../support/log-files.js";
import { findMountObstacle, makeReadOnly, mountDisk } from "../support/mounts.js";
import { e2e, type Naught } from "../support/naught.js";
import { server } from "../support/servers.js";
import { tamperWithFile } from "../support/starve.js";
import { until } from "../support/wait.js";

const skip = findMountObstacle();
const shape = { keepAlive: 2, fresh: 1, slow: 1, slowMs: 500 };

function start(naught: Naught, ...options: string[]): Promise<unknown> {
  const all = ["--worker-count", "2", "--stdout", "disk/stdout.log", "--max-log-files", "none", ...options];
  return naught.succeed(["start", ...all, server("numbered.cjs")]);
}

async function askLog(naught: Naught): Promise<LogInfo> {
  const { stdout } = await naught.succeed(["status", "--json"]);
  const { logs = [] } = JSON.parse(stdout) as Status;
  const found = logs.find(({ path }) => path.endsWith("disk/stdout.log"));
  assert.ok(found);
  return found;
}

/** None while it is being put aside. */
function sizeOf(log: string): number {
  return statSync(log, { throwIfNoEntry: false })?.size ?? 0;
}

/** The log has more in it than a moment ago. */
async function awaitGrowth(naught: Naught): Promise<void> {
  const size = () => sizeOf(naught.path("disk/stdout.log"));
  const before = size();
  await until("the log to grow", () => size() > before, 30_000);
}

function said(naught: Naught, pattern: RegExp): number {
  return naught.read("naught.log").match(new RegExp(pattern, "gm"))?.length ?? 0;
}

interface Cause {
  readonly name: string;
  readonly error: string;
  /** Returns what ends it. */
  begin(naught: Naught, disk: string): Promise<() => unknown>;
}

const causes: readonly Cause[] = [
  {
    name: "a disk that is full",
    error: "ENOSPC: no space left on device",
    begin: async (_, disk) => {
      const filler = join(disk, "filler");
      assert.throws(() => writeFileSync(filler, Buffer.alloc(16 * 2 ** 20)), /ENOSPC/);
      return () => rmSync(filler);
    },
  },
  {
    name: "writes that fail",
    error: "EIO: i/o error",
    begin: async (naught, disk) => {
      const undo = await tamperWithFile(naught.daemon(), "write", "error=EIO", join(disk, "stdout.log"));
      naught.defer(undo);
      return undo;
    },
  },
];

describe("while a log is in trouble the server serves", { concurrency: true, skip }, () => {
  for (const { name, error, begin } of causes)
    test(
      `${name}: told once, counted to the byte, and over when the cause is`,
      e2e(async (naught) => {
        const disk = mountDisk(naught, "disk", 16 * 2 ** 20);
        await start(naught);
        const load = await startLoad(naught, shape);
        await awaitGrowth(naught);
        const end = await begin(naught, disk);
        await naught.wrote("naught.log", new RegExp(`cannot write .*disk/stdout\\.log: ${error}`), 30_000);
        const told = new RegExp(`^cannot write .*disk/stdout\\.log: ${error}$`, "m");
        assert.match((await naught.succeed(["status", "--verbose"])).stdout, told);
        await until("lines to be given up", async () => (await askLog(naught)).lost > 0, 40_000);
        await end();
        const log = await naught.wrote("naught.log", /disk\/stdout\.log lost \d+ bytes/, 30_000);
        await awaitGrowth(naught);
        const { lost, trouble } = await askLog(naught);
        assertUnhurt(await load.stop());
        await naught.succeed(["stop"]);
        assert.equal(trouble, undefined);
        assert.equal(said(naught, /^cannot write /), 1, log);
        assert.equal(Number(/lost (\d+) bytes/.exec(log)?.[1]), lost);
        const accounts = await audit(naught, "disk/stdout.log");
        assert.equal(accounts.size, 2);
        assert.equal(countMissing(accounts), lost);
      }),
    );

  test(
    "a directory that is removed: every line that is printed afterwards is in a new one",
    e2e(async (naught) => {
      mkdirSync(naught.path("disk"));
      await start(naught);
      const load = await startLoad(naught, shape);
      await awaitGrowth(naught);
      rmSync(naught.path("disk"), { recursive: true });
      const counts = await askCounts(naught, 2);
      await until("a new log", () => existsSync(naught.path("disk/stdout.log")));
      await awaitGrowth(naught);
      assert.deepEqual(await askLog(naught), { path: naught.path("disk/stdout.log"), lost: 0 });
      assertUnhurt(await load.stop());
      await naught.succeed(["stop"]);
      assert.equal(said(naught, /disk\/stdout\.log/), 1, "said once");
      assert.equal(said(naught, /disk\/stdout\.log was moved or removed; a new one is begun$/), 1);
      for (const [pid, { missing, found }] of await audit(naught, "disk/stdout.log")) {
        assert.ok(
          missing.length < (counts.get(pid) ?? 0),
          "of what came after the removal nothing is missing",
        );
        assert.deepEqual(missing, [...Array(found[0]).keys()], "what is missing was in the directory");
      }
    }),
  );

  test(
    "a directory that is read-only: the log goes on, and is put aside when it can be",
    e2e(async (naught) => {
      const disk = mountDisk(naught, "disk", 16 * 2 ** 20);
      await start(naught, "--max-log-size", "20000");
      const load = await startLoad(naught, shape);
      const log = join(disk, "stdout.log");
      await until("an archive", async () => (await listArchives(log)).length > 0);
      const undo = makeReadOnly(naught, disk);
      await naught.wrote("naught.log", /cannot rotate .*disk\/stdout\.log: EROFS: read-only file system/);
      await until("the log to become large", () => sizeOf(log) > 60_000, 30_000);
      assert.match((await askLog(naught)).trouble ?? "", /EROFS/);
      undo();
      await until("the log to be put aside", () => sizeOf(log) < 30_000, 30_000);
      assertUnhurt(await load.stop());
      await until("all archives to be compressed", async () =>
        (await listArchives(log)).every((name) => name.endsWith(".gz")),
      );
      const { lost, trouble } = await askLog(naught);
      assert.deepEqual([lost, trouble], [0, undefined]);
      await naught.succeed(["stop"]);
      assert.equal(said(naught, /cannot rotate/), 1);
      assert.equal(countMissing(await audit(naught, "disk/stdout.log")), 0);
    }),
  );
});
