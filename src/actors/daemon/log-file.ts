/**
 * A file that is appended to and rotated by size. Owns its descriptor and knows its size. Not the package
 * rotating-file-stream: that ignores short writes, so a disk that fills up tears a line for good; its first error
 * ends it with all that it has buffered; and it compresses under the archive's final name before it removes the
 * log, so that a daemon killed in between leaves the same lines twice.
 */
import { writeSync } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { createArchives, type Retention } from "./archives.js";
import { openForAppend } from "./open-for-append.js";
import { isMissing, type Trouble } from "./trouble.js";

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
  /** Opens the path anew: what stands there may be another file, or another file system, by now. */
  reopen(): Promise<void>;
  /** False when somebody has moved or removed the file. */
  isInPlace(): Promise<boolean>;
  /** Resolves when archives in the making are made. */
  close(): Promise<void>;
}

const NEWLINE = 10;

export async function openLogFile(
  path: string,
  maxSize: number,
  retention: Retention,
  trouble: Trouble,
): Promise<LogFile> {
  const file = resolve(path);
  const archives = createArchives(file, retention, trouble);
  let { handle, stats } = await openForAppend(file);
  let size = stats.size;
  let limit = maxSize;
  let endsLine = true;
  // Whoever wrote here before was killed in the middle of a line, perhaps.
  let isTorn = stats.isFile() && size > 0 && !(await endsWithNewline(file, size));
  archives.sweep();

  async function append(bytes: Buffer): Promise<number> {
    if (isTorn) mended((await handle.write("\n")).bytesWritten);
    const { bytesWritten } = await handle.write(bytes);
    return grow(bytes, bytesWritten);
  }

  function appendNow(bytes: Buffer): number {
    if (isTorn) mended(writeSync(handle.fd, "\n"));
    return grow(bytes, writeSync(handle.fd, bytes));
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
    try {
      await rotate();
      limit = maxSize;
      trouble.forget("rotate");
    } catch (error) {
      trouble.report("rotate", error);
      limit = size + maxSize;
    }
  }

  async function rotate(): Promise<void> {
    await archives.makeRoom();
    const archive = await archives.claimName();
    const moved = await rename(file, archive).then(
      () => true,
      async (error: unknown) => {
        await rm(archive, { force: true });
        // Somebody else has moved it away: then there is nothing to keep.
        if (isMissing(error)) return false;
        throw error;
      },
    );
    try {
      await replaceHandle();
    } catch (error) {
      // The descriptor is still good: its file goes on as the log.
      if (moved) await rename(archive, file).catch(() => {});
      throw error;
    }
    if (moved) archives.add(archive);
  }

  async function replaceHandle(): Promise<void> {
    const old = handle;
    ({ handle, stats } = await openForAppend(file, stats));
    size = stats.size;
    isTorn = false;
    await old.close().catch(() => {});
  }

  async function reopen(): Promise<void> {
    try {
      await replaceHandle();
      trouble.forget("reopen");
    } catch (error) {
      trouble.report("reopen", error);
    }
  }

  async function isInPlace(): Promise<boolean> {
    const there = await stat(file).catch((error: unknown) => (isMissing(error) ? undefined : stats));
    return there !== undefined && there.ino === stats.ino && there.dev === stats.dev;
  }

  async function close(): Promise<void> {
    await archives.close();
    await handle.close().catch(() => {});
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
    reopen,
    isInPlace,
    close,
  };
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
