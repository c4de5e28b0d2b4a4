/**
 * What rotation puts aside: `stdout.log` becomes `stdout-20261123T073603.123Z.log` and then, in the background,
 * `stdout-20261123T073603.123Z.log.gz`. Owns the archives: their compression, and how many there may be. An archive is
 * always whole under exactly one name that counts: the plain one until the compressed one stands, so a crash loses no
 * line and doubles none; the next sweep finishes what it left.
 */
import { closeSync, existsSync, openSync, rmSync } from "node:fs";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { now } from "../../clock.js";
import { isSameProcess } from "../proc.js";
import { type ArchiveName, createNames, listArchives, readArchiveName } from "./archive-names.js";
import { createCompressor } from "./compressor.js";
import { hasCode, isMissing, type Trouble, tolerate } from "./trouble.js";

export interface Archives {
  /** Makes an empty file under a name that sorts behind all archives before it, and that nobody else has. */
  claimName(): Promise<string>;
  /** The same within this turn; undefined if it cannot be done, or too many archives are to be compressed. */
  claimNameNow(): string | undefined;
  /** Compresses an archive in the background, and removes those that are too many. */
  add(archive: string): void;
  /** Does the same, in the background, for what an earlier daemon or a full disk left plain. */
  sweep(): void;
  /** Waits while too many archives are to be compressed: they are larger than what becomes of them. */
  makeRoom(): Promise<void>;
  /** Finishes what it can within a few seconds; the rest is done at the next start. */
  close(): Promise<void>;
}

/** How much of a log is kept besides the log itself; without a number, all of it. */
export interface Retention {
  readonly maxFiles?: number | undefined;
  readonly maxTotal?: number | undefined;
}

/** A burst should not have to wait for its compression, which takes longer than to write it. */
const MOST_WAITING = 32;
/** So many may wait until the burst is over: while it lasts, whoever is served needs the processors more. */
const MOST_RESTING = 24;
/** A burst is over when so long nothing was put aside. */
const CALM_MS = 500;
const CLOSING_MS = 5000;
/** Younger lines would be lost with the power in any case, and to flush costs more than to compress a small file. */
const UNSAFE_MS = 5000;
/** From the claim of a name to its use. */
const CLAIM_MS = 1000;

/** The archives of the log at this absolute path. */
export function createArchives(file: string, retention: Retention, trouble: Trouble): Archives {
  const directory = dirname(file);
  const nextName = createNames(file);
  const compressor = createCompressor();
  /** What is to be done, one after the other. */
  const tasks: Promise<void>[] = [];
  let missed = false;
  let closing = false;
  let isLate = false;
  const ending = new AbortController();
  let lastAdded = Number.NEGATIVE_INFINITY;
  let hurry = new AbortController();

  async function claimName(): Promise<string> {
    for (;;) {
      const name = nextName(new Date());
      const claim = await open(name, "wx").catch((error: unknown) => {
        if (hasCode(error, "EEXIST")) return undefined;
        throw error;
      });
      await claim?.close();
      if (claim && !(await exists(`${name}.gz`))) return name;
      if (claim) await rm(name, { force: true });
    }
  }

  function claimNameNow(): string | undefined {
    if (tasks.length >= MOST_WAITING) return undefined;
    const name = nextName(new Date());
    try {
      closeSync(openSync(name, "wx"));
    } catch {
      return undefined;
    }
    if (!existsSync(`${name}.gz`)) return name;
    return void tolerate(() => rmSync(name));
  }

  function schedule(task: () => Promise<void>): void {
    const done = Promise.resolve(tasks.at(-1)).then(async () => {
      if (!isLate) await task();
      tasks.shift();
    });
    tasks.push(done);
  }

  function add(archive: string): void {
    lastAdded = now();
    schedule(async () => {
      await whenCalm();
      await tryGzip(archive);
      if (missed) await sweepNow();
      await prune();
    });
    if (tasks.length > MOST_RESTING) hurry.abort();
    // What nobody is to keep need not be compressed.
    if (tasks.length > (retention.maxFiles ?? tasks.length)) void prune();
  }

  async function whenCalm(): Promise<void> {
    while (!closing && tasks.length <= MOST_RESTING) {
      const left = lastAdded + CALM_MS - now();
      if (left <= 0) return;
      hurry = new AbortController();
      await delay(left, undefined, { signal: hurry.signal }).catch(() => {});
    }
  }

  async function tryGzip(archive: string): Promise<void> {
    try {
      await gzip(archive);
      trouble.forget("compress");
    } catch (error) {
      if (isLate) return;
      missed = true;
      trouble.report("compress", error);
    }
  }

  async function gzip(archive: string): Promise<void> {
    const compressed = `${archive}.gz`;
    const unfinished = `${compressed}.${process.pid}.part`;
    if (!(await exists(compressed))) {
      try {
        const { birthtimeMs, size } = await stat(archive);
        // Claimed by a daemon that did not live to use it.
        if (size === 0) return await rm(archive, { force: true });
        // A power failure must not leave an empty file in the place of lines that had reached the disk long ago.
        await compressor.compress(archive, unfinished, Date.now() - birthtimeMs > UNSAFE_MS);
        await rename(unfinished, compressed);
      } catch (error) {
        await rm(unfinished, { force: true }).catch(() => {});
        if (isMissing(error)) return;
        throw error;
      }
    }
    await rm(archive, { force: true });
  }

  async function sweepNow(): Promise<void> {
    missed = false;
    const names = (await readdir(directory).catch(() => []))
      .map((name) => readArchiveName(file, name))
      .filter((name) => name !== undefined)
      .sort((one, other) => (one.name < other.name ? -1 : 1));
    for (const { name, kind, pid } of names) {
      if (closing || missed) return;
      if (kind === "part" && !isAlive(pid)) {
        await rm(join(directory, name), { force: true }).catch((error) => trouble.report("remove", error));
      }
      if (kind !== "plain") continue;
      await outwaitClaim(join(directory, name));
      if (!closing) await tryGzip(join(directory, name));
    }
  }

  /** Somebody else may have claimed an empty one a moment ago, and be about to use it. */
  async function outwaitClaim(path: string): Promise<void> {
    const found = await stat(path).catch(() => undefined);
    const left = found?.size === 0 ? found.mtimeMs + CLAIM_MS - Date.now() : 0;
    if (left > 0) await delay(Math.min(left, CLAIM_MS), undefined, { signal: ending.signal }).catch(() => {});
  }

  /** Removes the oldest, until what is left is neither too many nor too much. */
  async function prune(): Promise<void> {
    const { maxFiles = Number.POSITIVE_INFINITY, maxTotal } = retention;
    if (maxFiles === Number.POSITIVE_INFINITY && maxTotal === undefined) return;
    let count = 0;
    let total = 0;
    try {
      for (const path of (await listArchives(file)).reverse()) {
        count += 1;
        if (maxTotal !== undefined) total += (await stat(path).catch(() => undefined))?.size ?? 0;
        if (count > maxFiles || total > (maxTotal ?? total)) await rm(path, { force: true });
      }
      trouble.forget("remove");
    } catch (error) {
      trouble.report("remove", error);
    }
  }

  async function makeRoom(): Promise<void> {
    while (tasks.length >= MOST_WAITING) await tasks[0];
  }

  async function close(): Promise<void> {
    closing = true;
    ending.abort();
    hurry.abort();
    const late = setTimeout(() => {
      isLate = true;
      compressor.abort();
    }, CLOSING_MS);
    await tasks.at(-1);
    clearTimeout(late);
  }

  return {
    claimName,
    claimNameNow,
    add,
    sweep: () =>
      schedule(async () => {
        await sweepNow();
        if (!closing) await prune();
      }),
    makeRoom,
    close,
  };
}

function isAlive(pid: ArchiveName["pid"]): boolean {
  return pid !== undefined && pid !== process.pid && isSameProcess(pid, "");
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
