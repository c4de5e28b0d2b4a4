/**
 * A file that is appended to and rotated by size. Owns its descriptor and knows its size. Not the package
 * rotating-file-stream: that ignores short writes, so a disk that fills up tears a line for good; its first error
 * ends it with all that it has buffered; and it compresses under the archive's final name before it removes the
 * log, so that a daemon killed in between leaves the same lines twice.
 */
import { renameSync, rmSync, writeSync } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { createArchives, type Retention } from "./archives.js";
import * as descriptors from "./descriptors.js";
import { type Opened, openForAppend, openNextNow } from "./open-for-append.js";
import { rescue } from "./removed-file.js";
import { hasCode, isMissing, type Trouble, tolerate } from "./trouble.js";

export interface LogFile {
  /** Appends what it can, and says how many bytes that was. */
  append(bytes: Buffer): Promise<number>;
  /** The same within this turn. */
  appendNow(bytes: Buffer): number;
  /** How many more bytes the file takes before it is too large. */
  readonly room: number;
  /** The file is too large, and no line is only half in it. */
  readonly isDue: boolean;
  /** Puts a file that is due aside. */
  rotateIfDue(): Promise<void>;
  /** The same within this turn, if nothing speaks against it; otherwise the file is still due. */
  rotateNow(): void;
  /** Opens the path anew: what stands there may be another file, or another file system, by now. */
  reopen(): Promise<void>;
  /** False when somebody has moved or removed the file. */
  isInPlace(): Promise<boolean>;
  /** Resolves when archives in the making are made. */
  close(): Promise<void>;
}

const NEWLINE = 10;

/** `onLost` is told of bytes that were written, to a file that had been removed, and cannot be had back. */
export async function openLogFile(
  path: string,
  maxSize: number,
  retention: Retention,
  trouble: Trouble,
  onLost: (bytes: number) => void,
): Promise<LogFile> {
  const file = resolve(path);
  const archives = createArchives(file, retention, trouble);
  let { fd, stats } = await openForAppend(file);
  let size = stats.size;
  /** What of it was there when it was last seen in its place: whoever removed it did so later. */
  let seen = size;
  let isMoving = false;
  let limit = maxSize;
  let endsLine = true;
  // Whoever wrote here before was killed in the middle of a line, perhaps.
  let isTorn = stats.isFile() && size > 0 && !(await endsWithNewline(file, size));
  archives.sweep();

  async function append(bytes: Buffer): Promise<number> {
    if (isTorn) mended((await descriptors.write(fd, "\n")).bytesWritten);
    const { bytesWritten } = await descriptors.write(fd, bytes);
    return grow(bytes, bytesWritten);
  }

  function appendNow(bytes: Buffer): number {
    if (isTorn) mended(writeSync(fd, "\n"));
    return grow(bytes, writeSync(fd, bytes));
  }

  function mended(written: number): void {
    size += written;
    isTorn = false;
  }

  function grow(bytes: Buffer, written: number): number {
    size += written;
    endsLine = bytes[written - 1] === NEWLINE;
    return written;
  }

  // A device has no size of its own, and is not ours to rename.
  const isDue = (): boolean => size > limit && endsLine && stats.isFile();

  async function rotateIfDue(): Promise<void> {
    if (!isDue()) return;
    isMoving = true;
    try {
      await rotate();
      limit = maxSize;
      trouble.forget("rotate");
    } catch (error) {
      trouble.report("rotate", error);
      limit = size + maxSize;
    } finally {
      isMoving = false;
    }
  }

  // What is wrong is found again, and told, where there is time for it.
  function rotateNow(): void {
    const archive = archives.claimNameNow();
    if (archive === undefined) return;
    try {
      renameSync(file, archive);
    } catch {
      return tolerate(() => rmSync(archive));
    }
    try {
      const old = goOnIn(openNextNow(file, stats));
      void descriptors.close(old).catch(() => {});
    } catch {
      // The descriptor is still good: its file goes on as the log.
      return tolerate(() => renameSync(archive, file));
    }
    limit = maxSize;
    trouble.forget("rotate");
    archives.add(archive);
  }

  async function rotate(): Promise<void> {
    await archives.makeRoom();
    const archive = await archives.claimName().catch(ignoreMissing);
    const isMoved = archive !== undefined && (await moveTo(archive));
    // Somebody else has moved or removed it, or all of its directory: then there is nothing to keep.
    if (!isMoved) return await replaceLost();
    try {
      await replaceHandle();
    } catch (error) {
      // The descriptor is still good: its file goes on as the log.
      await rename(archive, file).catch(() => {});
      throw error;
    }
    archives.add(archive);
  }

  async function moveTo(archive: string): Promise<boolean> {
    try {
      await rename(file, archive);
      return true;
    } catch (error) {
      await rm(archive, { force: true });
      return ignoreMissing(error) ?? false;
    }
  }

  /** Leaves the former one open, and gives it. */
  async function openAnew(): Promise<number> {
    return goOnIn(await openForAppend(file, stats));
  }

  function goOnIn(opened: Opened): number {
    const old = fd;
    ({ fd, stats } = opened);
    size = stats.size;
    seen = size;
    isTorn = false;
    return old;
  }

  async function replaceHandle(): Promise<void> {
    const old = await openAnew();
    await descriptors.close(old).catch(() => {});
  }

  async function replaceLost(): Promise<void> {
    const start = seen;
    const old = await openAnew();
    try {
      const lost = await rescue(old, start, fd);
      size = (await descriptors.stat(fd)).size;
      if (lost > 0) onLost(lost);
    } finally {
      await descriptors.close(old).catch(() => {});
    }
  }

  async function reopen(): Promise<void> {
    try {
      await replaceLost();
      trouble.forget("reopen");
    } catch (error) {
      trouble.report("reopen", error);
    }
  }

  async function isInPlace(): Promise<boolean> {
    const [current, length] = [stats, endsLine ? size : seen];
    const there = await stat(file).catch((error: unknown) => (isGone(error) ? undefined : current));
    if (isMoving || stats !== current) return true;
    const isHere = there !== undefined && there.ino === stats.ino && there.dev === stats.dev;
    if (isHere) seen = length;
    return isHere;
  }

  async function close(): Promise<void> {
    await archives.close();
    await descriptors.close(fd).catch(() => {});
  }

  return {
    append,
    appendNow,
    get room() {
      return limit - size;
    },
    get isDue() {
      return isDue();
    },
    rotateIfDue,
    rotateNow,
    reopen,
    isInPlace,
    close,
  };
}

function isGone(error: unknown): boolean {
  return isMissing(error) || hasCode(error, "ENOTDIR");
}

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

async function endsWithNewline(file: string, size: number): Promise<boolean> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file);
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] === NEWLINE;
  } catch {
    // It may be written, but not read.
    return true;
  } finally {
    await handle?.close();
  }
}
