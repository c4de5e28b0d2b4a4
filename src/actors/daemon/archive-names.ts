/** The names of a log's archives: `stdout-20261123T073603.123Z.log`, with `.gz` behind it when it is compressed. */
import { readdir } from "node:fs/promises";
import { dirname, join, parse } from "node:path";

export interface ArchiveName {
  readonly name: string;
  /** The same for both forms of one archive. Sorts by time. */
  readonly stamp: string;
  /** `part`: what a compression has made so far. */
  readonly kind: "plain" | "gz" | "part";
  /** Who makes the part. */
  readonly pid: number | undefined;
}

/** Undefined for a file that is no archive of this log. */
export function readArchiveName(file: string, name: string): ArchiveName | undefined {
  const log = parse(file);
  if (!name.startsWith(`${log.name}-`)) return undefined;
  const found = /^(\d{8}T\d{6}\.\d{3}Z(?:_\d{4,})?)(.*)$/s.exec(name.slice(log.name.length + 1));
  const [, stamp = "", rest = ""] = found ?? [];
  if (!found || !rest.startsWith(log.ext)) return undefined;
  const suffix = rest.slice(log.ext.length);
  const part = /^\.gz(?:\.(\d+))?\.part$/.exec(suffix);
  if (part) return { name, stamp, kind: "part", pid: part[1] === undefined ? undefined : Number(part[1]) };
  if (suffix !== "" && suffix !== ".gz") return undefined;
  return { name, stamp, kind: suffix === "" ? "plain" : "gz", pid: undefined };
}

/** The paths of the archives of the log at this absolute path, the oldest first; of two forms, the compressed one. */
export async function listArchives(file: string): Promise<string[]> {
  const directory = dirname(file);
  const byStamp = new Map<string, ArchiveName>();
  for (const name of await readdir(directory)) {
    const read = readArchiveName(file, name);
    if (!read || read.kind === "part") continue;
    if (byStamp.get(read.stamp)?.kind !== "gz") byStamp.set(read.stamp, read);
  }
  return [...byStamp.values()]
    .sort((one, other) => (one.stamp < other.stamp ? -1 : 1))
    .map(({ name }) => join(directory, name));
}

/** When the archive was set aside; undefined for a path that is no archive. */
export function readArchiveTime(file: string, path: string): Date | undefined {
  const { stamp } = readArchiveName(file, parse(path).base) ?? {};
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3}Z)/.exec(stamp ?? "") ?? [];
  return year === undefined ? undefined : new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}`);
}

/** Names sort by time also when the clock is set back, and when several are made in one millisecond. */
export function createNames(file: string): (now: Date) => string {
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
