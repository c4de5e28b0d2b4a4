/**
 * Reads the logs to clients, page by page: a client that does not ask for the next page costs nothing. Owns the archives
 * that are open between two pages, because a compressed one can be read from its beginning only.
 */
import { isUtf8 } from "node:buffer";
import { setTimeout as delay } from "node:timers/promises";
import { now } from "../../clock.js";
import { NaughtError } from "../../protocol/errors.js";
import type { LogFiles, LogsPage, ReadLogs } from "../../protocol/types.js";
import { type ArchiveText, openArchive } from "./archive-text.js";
import {
  findLast,
  findPlace,
  findSince,
  type Place,
  type Position,
  parsePosition,
  printPosition,
} from "./log-position.js";

export interface LogReader {
  read(params: ReadLogs, onCancel: (listener: () => void) => void): Promise<LogsPage>;
  /** Nothing comes any more: answers those who wait with what there is, and resolves when they are answered. */
  close(): Promise<void>;
}

const PAGE = 64 * 1024;
const LARGEST_PAGE = 1024 * 1024;
const LOOK_MS = 100;
const MOST_OPEN = 8;
const NEWLINE = 10;
const EMPTY = Buffer.alloc(0);

export function createLogReader(paths: Pick<LogFiles, "log" | "stdout" | "stderr">): LogReader {
  const opened = new Map<string, ArchiveText>();
  const closing = new AbortController();
  const reading = new Set<Promise<unknown>>();

  async function read(params: ReadLogs, onCancel: (listener: () => void) => void): Promise<LogsPage> {
    const { log = "stdout", wait = 0, size = PAGE } = params;
    const file = paths[log === "naught" ? "log" : log];
    const isFile = file !== "/dev/null" && file !== "-";
    if (!isFile) return { text: "", cursor: "", end: true, over: true };
    let position = await findStart(file, params);
    let given: Buffer = EMPTY;
    let isWanted = true;
    onCancel(() => {
      isWanted = false;
    });
    for (const until = now() + wait * 1000; ; ) {
      const isOver = closing.signal.aborted;
      [given, position] = await readOn(file, position, Math.min(size, LARGEST_PAGE));
      const end = given.length === 0;
      if (!end || isOver || !isWanted || now() >= until) {
        return {
          path: file,
          ...(isUtf8(given) ? { text: given.toString() } : { base64: given.toString("base64") }),
          cursor: printPosition(position),
          end,
          ...(isOver && (await isLast(file, position)) ? { over: true } : {}),
        };
      }
      await delay(LOOK_MS, undefined, { signal: closing.signal }).catch(() => {});
    }
  }

  async function isLast(file: string, position: Position): Promise<boolean> {
    const [more] = await readOn(file, position, PAGE);
    return more.length === 0;
  }

  async function readOn(file: string, from: Position, size: number): Promise<[Buffer, Position]> {
    for (let position = from; ; ) {
      const place = await findPlace(file, position);
      const bytes = await readAt(file, place, position, size);
      if (bytes === undefined) continue;
      const { text, inode, offset } = bytes;
      if (text.length > 0) return [text, { after: position.after, offset: offset + text.length, inode }];
      if (place.stamp === "") return [EMPTY, { after: position.after, offset, inode }];
      position = { after: place.stamp, offset: 0, inode: 0 };
    }
  }

  /** Undefined when the file has got another name in the meantime. */
  async function readAt(
    file: string,
    place: Place,
    position: Position,
    size: number,
  ): Promise<{ text: Buffer; offset: number; inode: number } | undefined> {
    const isLog = place.stamp === "";
    const name = (at: number) => `${place.path}@${at}`;
    const { offset } = position;
    const text = opened.get(name(offset)) ?? (await openArchive(place.path, offset));
    opened.delete(name(offset));
    if (isLog && (await findPlace(file, position)).stamp !== "") {
      // It was rotated before it was opened, perhaps: then this is the next file already.
      text?.close();
      return undefined;
    }
    if (!text) return isLog ? { text: EMPTY, offset, inode: position.inode } : undefined;
    const inode = isLog ? text.inode : 0;
    if (isLog && position.inode !== 0 && inode !== position.inode) {
      // Somebody has put another file in the log's place.
      text.close();
      return readAt(file, place, { ...position, offset: 0, inode: 0 }, size);
    }
    try {
      const all = await readFully(text, size);
      const read = cutPage(all, isLog && all.length < size);
      const compressed = place.path.endsWith(".gz");
      if (compressed && read.isWhole && read.page.length > 0) keep(name(offset + read.page.length), text);
      else text.close();
      return { text: read.page, offset, inode };
    } catch (error) {
      text.close();
      throw error;
    }
  }

  function keep(name: string, text: ArchiveText): void {
    opened.get(name)?.close();
    opened.set(name, text);
    const [[oldest, least] = []] = opened;
    if (opened.size > MOST_OPEN && oldest !== undefined) {
      least?.close();
      opened.delete(oldest);
    }
  }

  return {
    read(params, onCancel) {
      const page = read(params, onCancel);
      const ended = page.catch(() => {}).finally(() => reading.delete(ended));
      reading.add(ended);
      return page;
    },
    async close() {
      closing.abort();
      await Promise.all(reading);
      for (const text of opened.values()) text.close();
      opened.clear();
    },
  };
}

async function findStart(file: string, { cursor, lines, since }: ReadLogs): Promise<Position> {
  if (cursor !== undefined) {
    const position = parsePosition(cursor);
    if (!position) throw new NaughtError("UnknownCursor");
    return position;
  }
  if (since !== undefined) return findSince(file, new Date(since));
  if (lines !== undefined) return findLast(file, lines);
  return { after: "", offset: 0, inode: 0 };
}

async function readFully(text: ArchiveText, size: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let length = 0; length < size; ) {
    const part = await text.read(size - length);
    if (part.length === 0) break;
    parts.push(part);
    length += part.length;
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}

/**
 * Whole lines where there are any. The last line of the log itself may be on its way still. No character is cut.
 */
function cutPage(bytes: Buffer, mayGrow: boolean): { page: Buffer; isWhole: boolean } {
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  if (end === bytes.length) return { page: bytes, isWhole: true };
  if (end > 0) return { page: bytes.subarray(0, end), isWhole: false };
  if (mayGrow) return { page: EMPTY, isWhole: false };
  let cut = bytes.length;
  for (let back = 1; back <= 3 && back < bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      if (needs > back) cut = bytes.length - back;
      break;
    }
  }
  return { page: bytes.subarray(0, cut), isWhole: cut === bytes.length };
}
