/** What was written to a log after somebody had removed it: it has no name any more, but is there while it is open. */
import { type FileHandle, open } from "node:fs/promises";
import { stat, write } from "./descriptors.js";

const PORTION = 64 * 1024;

/** Copies all from `start` on to the end of another file; resolves with how many bytes that could not be done for. */
export async function rescue(removed: number, start: number, target: number): Promise<number> {
  const { nlink, size } = await stat(removed);
  if (nlink > 0) return 0;
  let at = start;
  let source: FileHandle | undefined;
  try {
    // The log is open for writing only.
    source = await open(`/proc/self/fd/${removed}`);
    const bytes = Buffer.allocUnsafe(PORTION);
    while (at < size) {
      const { bytesRead } = await source.read(bytes, 0, Math.min(PORTION, size - at), at);
      if (bytesRead === 0) break;
      for (let done = 0; done < bytesRead; ) {
        const { bytesWritten } = await write(target, bytes, done, bytesRead - done);
        done += bytesWritten;
        at += bytesWritten;
      }
    }
  } catch {
    // Then they are lost, which is told.
  } finally {
    await source?.close();
  }
  return Math.max(0, size - at);
}
