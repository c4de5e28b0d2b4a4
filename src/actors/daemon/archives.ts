/**
 * What rotation puts aside: `stdout.log` becomes `stdout-20261123T073603.123Z.log` and then, in the background,
 * `stdout-20261123T073603.123Z.log.gz`. Owns the archives' names and their compression. An archive is always whole
 * under exactly one name that counts: the plain one until the compressed one stands, so a crash loses no line and
 * doubles none; the next sweep finishes what it left.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { access, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, parse } from "node:path";
import { pipeline } from "node:stream/promises";
import { isMissing, type Trouble } from "./trouble.js";

export interface Archives {
  /** A path that sorts behind all archives before it. */
  findName(): Promise<string>;
  /** Compresses an archive in the background. */
  compress(archive: string): void;
  /** Compresses, in the background, what an earlier daemon or a full disk left plain. */
  sweep(): void;
  /** Waits while too many archives are to be compressed: they are larger than what becomes of them. */
  makeRoom(): Promise<void>;
  /** Finishes what was begun. */
  close(): Promise<void>;
}

const MOST_WAITING = 8;
/** Younger lines would be lost with the power in any case, and to flush costs more than to compress a small file. */
const UNSAFE_MS = 5000;

/** The archives of the log at this absolute path. */
export function createArchives(file: string, trouble: Trouble): Archives {
  const nextName = createNames(file);
  let work: Promise<void> = Promise.resolve();
  let waiting = 0;
  let missed = false;
  let closing = false;

  async function findName(): Promise<string> {
    for (;;) {
      const name = nextName(new Date());
      if (!(await exists(name)) && !(await exists(`${name}.gz`))) return name;
    }
  }

  function schedule(task: () => Promise<void>): void {
    waiting += 1;
    work = work.then(task).finally(() => {
      waiting -= 1;
    });
  }

  function compress(archive: string): void {
    schedule(async () => {
      await tryGzip(archive);
      if (missed) await sweepNow();
    });
  }

  async function tryGzip(archive: string): Promise<void> {
    try {
      await gzip(archive);
      trouble.forget("compress");
    } catch (error) {
      missed = true;
      trouble.report("compress", error);
    }
  }

  async function sweepNow(): Promise<void> {
    missed = false;
    const names = await readdir(dirname(file)).catch(() => []);
    for (const name of names.filter(isPlainArchiveOf(file)).sort()) {
      if (closing || missed) return;
      await tryGzip(join(dirname(file), name));
    }
  }

  async function makeRoom(): Promise<void> {
    if (waiting >= MOST_WAITING) await work;
  }

  async function close(): Promise<void> {
    closing = true;
    await work;
  }

  return { findName, compress, sweep: () => schedule(sweepNow), makeRoom, close };
}

/** Names sort by time also when the clock is set back, and when several are made in one millisecond. */
function createNames(file: string): (now: Date) => string {
  const { dir, name, ext } = parse(file);
  let stamp = "";
  let count = 0;
  return (now) => {
    const next = now.toISOString().replace(/[-:]/g, "");
    count = next > stamp ? 0 : count + 1;
    if (count === 0) stamp = next;
    // An underscore sorts behind the dot of the extension, a hyphen would not.
    const suffix = count === 0 ? "" : `_${String(count).padStart(4, "0")}`;
    return join(dir, `${name}-${stamp}${suffix}${ext}`);
  };
}

function isPlainArchiveOf(file: string): (candidate: string) => boolean {
  const { name, ext } = parse(file);
  return (candidate) =>
    candidate.startsWith(`${name}-`) &&
    candidate.endsWith(ext) &&
    /^\d{8}T\d{6}\.\d{3}Z(_\d{4,})?$/.test(candidate.slice(name.length + 1, candidate.length - ext.length));
}

async function gzip(archive: string): Promise<void> {
  const compressed = `${archive}.gz`;
  const unfinished = `${compressed}.part`;
  if (!(await exists(compressed))) {
    try {
      const { mode, birthtimeMs } = await stat(archive);
      // A power failure must not leave an empty file in the place of lines that had reached the disk long ago.
      const flush = Date.now() - birthtimeMs > UNSAFE_MS;
      const target = createWriteStream(unfinished, { mode: mode & 0o777, flush });
      // Loaded when it is needed, which it is for few daemons.
      const { createGzip } = await import("node:zlib");
      await pipeline(createReadStream(archive), createGzip(), target);
      await rename(unfinished, compressed);
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => {});
      if (isMissing(error)) return;
      throw error;
    }
  }
  await rm(archive, { force: true });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
