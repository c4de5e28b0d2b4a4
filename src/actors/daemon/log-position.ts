/**
 * Places in a log and its archives, taken as one long file. A place is told by the archive before it and the offset in
 * what follows that, which stays true when the log itself becomes an archive.
 */
import { stat } from "node:fs/promises";
import { parse } from "node:path";
import { listArchives, readArchiveName, readArchiveTime } from "./archive-names.js";
import { openArchive } from "./archive-text.js";

export interface Position {
  /** The stamp of the archive before; empty when there is none. */
  readonly after: string;
  readonly offset: number;
  /** Of the log itself, if that was being read: somebody else may have put another one in its place. */
  readonly inode: number;
}

/** What is to be read at a position. */
export interface Place {
  readonly path: string;
  /** Empty for the log itself. */
  readonly stamp: string;
}

const BLOCK = 64 * 1024;
const NEWLINE = 10;

export function printPosition({ after, offset, inode }: Position): string {
  return `${after || "-"}:${offset}:${inode}`;
}

/** Undefined for what was printed by nobody. */
export function parsePosition(text: string): Position | undefined {
  const [, after = "", offset, inode] = /^(-|[\dTZ._]+):(\d{1,15}):(\d{1,20})$/.exec(text) ?? [];
  if (offset === undefined) return undefined;
  return { after: after === "-" ? "" : after, offset: Number(offset), inode: Number(inode) };
}

export async function findPlace(file: string, { after }: Position): Promise<Place> {
  const places = await listPlaces(file);
  return places.find(({ stamp }) => stamp > after || stamp === "") ?? { path: file, stamp: "" };
}

/** From where on a log may have lines of that time or later. */
export async function findSince(file: string, since: Date): Promise<Position> {
  const places = await listPlaces(file);
  const index = places.findIndex(
    ({ path, stamp }) => stamp === "" || (readArchiveTime(file, path) ?? since) >= since,
  );
  return begin(places, index);
}

/** Where the last lines begin. */
export async function findLast(file: string, count: number): Promise<Position> {
  const places = await listPlaces(file);
  let missing = count;
  for (let index = places.length - 1; index >= 0; index -= 1) {
    const place = places[index];
    if (!place) break;
    const { offset, found, inode } = await findLineFromEnd(place, missing);
    missing -= found;
    if (missing <= 0) return { ...begin(places, index), offset, inode };
  }
  return begin(places, 0);
}

async function listPlaces(file: string): Promise<Place[]> {
  const archives: string[] = [];
  for (const path of await listArchives(file).catch(() => [])) {
    // A name that is claimed for what is the log itself still.
    const isClaim = !path.endsWith(".gz") && (await stat(path).catch(() => undefined))?.size === 0;
    if (!isClaim) archives.push(path);
  }
  const stamps = archives.map((path) => readArchiveName(file, parse(path).base)?.stamp ?? "");
  return [
    ...archives.map((path, index) => ({ path, stamp: stamps[index] ?? "" })),
    { path: file, stamp: "" },
  ];
}

function begin(places: readonly Place[], index: number): Position {
  return { after: places[index - 1]?.stamp ?? "", offset: 0, inode: 0 };
}

/** How many lines of those wanted there are, and where the first of them begins. */
async function findLineFromEnd(
  place: Place,
  wanted: number,
): Promise<{ offset: number; found: number; inode: number }> {
  if (wanted === 0) return measure(place);
  // The beginnings of as many lines as are wanted, the oldest overwritten first.
  const ring: number[] = [];
  let lines = 0;
  let length = 0;
  let isAtStart = true;
  const text = await openArchive(place.path, 0);
  if (!text) return { offset: 0, found: 0, inode: 0 };
  const inode = place.stamp === "" ? text.inode : 0;
  try {
    for (let bytes = await text.read(BLOCK); bytes.length > 0; bytes = await text.read(BLOCK)) {
      for (let at = 0; at < bytes.length; ) {
        if (isAtStart) {
          ring[lines % wanted] = length + at;
          lines += 1;
        }
        const end = bytes.indexOf(NEWLINE, at);
        isAtStart = end >= 0;
        at = end < 0 ? bytes.length : end + 1;
      }
      length += bytes.length;
    }
  } finally {
    text.close();
  }
  if (lines < wanted) return { offset: 0, found: lines, inode };
  return { offset: ring[lines % wanted] ?? 0, found: wanted, inode };
}

async function measure({ path, stamp }: Place): Promise<{ offset: number; found: number; inode: number }> {
  const { size, ino } = (stamp === "" && (await stat(path).catch(() => undefined))) || { size: 0, ino: 0 };
  return { offset: size, found: 0, inode: ino };
}
