/** The text of a log file, compressed or not, read piece by piece from some offset on. */
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { isMissing } from "./trouble.js";

export interface ArchiveText {
  readonly inode: number;
  /** As many bytes as there are, up to `size`; none at the end. */
  read(size: number): Promise<Buffer>;
  close(): void;
}

const EMPTY = Buffer.alloc(0);

/** Undefined when the file is not there. */
export async function openArchive(path: string, offset: number): Promise<ArchiveText | undefined> {
  try {
    const handle = await open(path);
    const { ino: inode } = await handle.stat();
    const text = path.endsWith(".gz") ? await readCompressed(handle, offset) : readPlain(handle, offset);
    return { inode, ...text };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function readPlain(handle: FileHandle, start: number): Omit<ArchiveText, "inode"> {
  let offset = start;
  return {
    async read(size) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(size), 0, size, offset);
      offset += bytesRead;
      return buffer.subarray(0, bytesRead);
    },
    close: () => void handle.close().catch(() => {}),
  };
}

async function readCompressed(handle: FileHandle, start: number): Promise<Omit<ArchiveText, "inode">> {
  // Loaded when it is needed, which it is for few daemons.
  const { createGunzip } = await import("node:zlib");
  const source = createReadStream("", { fd: handle });
  const text = source.pipe(createGunzip());
  source.on("error", (error) => text.destroy(error));
  const pieces = text[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let rest: Buffer = EMPTY;
  let skip = start;

  async function next(): Promise<boolean> {
    const { value, done } = await pieces.next();
    if (done) return false;
    rest = value.subarray(Math.min(skip, value.length));
    skip -= Math.min(skip, value.length);
    return true;
  }

  return {
    async read(size) {
      while (rest.length === 0 && (await next()));
      const piece = rest.subarray(0, size);
      rest = rest.subarray(piece.length);
      return piece;
    },
    close() {
      text.destroy();
      source.destroy();
    },
  };
}
