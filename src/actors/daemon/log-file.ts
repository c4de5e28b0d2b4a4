/**
 * A file that is appended to and rotated by size. Owns its descriptor and knows its size. Not the package
 * rotating-file-stream: that ignores short writes, so a disk that fills up tears a line for good; its first error
 * ends it with all that it has buffered; and it compresses under the archive's final name before it removes the
 * log, so that a daemon killed in between leaves the same lines twice.
 */
import type { Stats } from "node:fs";
import { type FileHandle, mkdir, open, rename, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { createArchives } from "./archives.js";
import { hasCode, isMissing, type Trouble } from "./trouble.js";

export interface LogFile {
  /** Appends what it can, and says how many bytes that was. */
  append(bytes: Buffer): Promise<number>;
  /** How many more bytes the file takes before it is too large. */
  readonly room: number;
  /** Puts a file that has become too large aside, unless a line is only half in it. */
  rotateIfDue(): Promise<void>;
  /** Opens the path anew: what stands there may be another file, or another file system, by now. */
  reopen(): Promise<void>;
  /** Resolves when archives in the making are made. */
  close(): Promise<void>;
}

const NEWLINE = 10;

export async function openLogFile(path: string, maxSize: number, trouble: Trouble): Promise<LogFile> {
  const file = resolve(path);
  const archives = createArchives(file, trouble);
  let { handle, stats } = await openForAppend(file);
  let size = stats.size;
  let limit = maxSize;
  let endsLine = true;
  archives.sweep();

  async function append(bytes: Buffer): Promise<number> {
    const { bytesWritten } = await handle.write(bytes);
    size += bytesWritten;
    endsLine = bytes[bytesWritten - 1] === NEWLINE;
    return bytesWritten;
  }

  async function rotateIfDue(): Promise<void> {
    // A device has no size of its own, and is not ours to rename.
    if (size <= limit || !endsLine || !stats.isFile()) return;
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
    const archive = await archives.findName();
    const moved = await rename(file, archive).then(
      () => true,
      (error: unknown) => {
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
    if (moved) archives.compress(archive);
  }

  async function replaceHandle(): Promise<void> {
    const old = handle;
    ({ handle, stats } = await openForAppend(file, stats.mode & 0o777));
    size = stats.size;
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

  async function close(): Promise<void> {
    await archives.close();
    await handle.close().catch(() => {});
  }

  return {
    append,
    get room() {
      return limit - size;
    },
    rotateIfDue,
    reopen,
    close,
  };
}

async function openForAppend(file: string, mode?: number): Promise<{ handle: FileHandle; stats: Stats }> {
  const present = await stat(file).catch(() => undefined);
  if (present?.isDirectory()) throw new Error("it is a directory");
  // To open a FIFO that nobody reads would block one of libuv's few threads for good.
  if (present?.isFIFO() || present?.isSocket()) throw new Error("it is not a file");
  const handle = await open(file, "a", mode).catch(async (error: unknown) => {
    if (!isMissing(error)) throw error;
    await makeDirectory(dirname(file));
    return await open(file, "a", mode);
  });
  return { handle, stats: await handle.stat() };
}

/** Not with `recursive`, because Node then tries for ever where nothing can be made, as below `/proc`. */
async function makeDirectory(directory: string): Promise<void> {
  const make = () =>
    mkdir(directory).catch((error: unknown) => {
      if (!hasCode(error, "EEXIST")) throw error;
    });
  await make().catch(async (error: unknown) => {
    if (!isMissing(error) || dirname(directory) === directory) throw error;
    await makeDirectory(dirname(directory));
    await make();
  });
}
