/** What the kernel tells about the sockets of this process, on Linux; Node itself has no way to ask. */
import { readFileSync, readlinkSync } from "node:fs";

/** Whether the socket accepts connections; undefined where that cannot be told. */
export function isListening(fd: number): boolean | undefined {
  const inode = findInode(fd);
  if (inode === undefined) return undefined;
  for (const table of ["tcp", "tcp6"]) {
    // proc(5): `sl local_address rem_address st … inode`, where state 0A is LISTEN.
    const row = readTable(table).find((fields) => fields[9] === inode);
    if (row) return row[3] === "0A";
  }
  const row = findUnix(inode);
  // __SO_ACCEPTCON among the flags.
  if (row) return (Number.parseInt(row[3] ?? "0", 16) & 0x10000) !== 0;
  // Of another kind, or of another network namespace.
  return ["udp", "udp6", "raw", "raw6", "icmp"].some((table) =>
    readTable(table).some((fields) => fields[9] === inode),
  )
    ? false
    : undefined;
}

/** The path that a unix socket is bound to, as Node would name it; null for any other, and where it cannot be told. */
export function readUnixPath(fd: number): string | null {
  const inode = findInode(fd);
  const path = inode === undefined ? undefined : findUnix(inode)?.slice(7).join(" ");
  if (!path) return null;
  return path.startsWith("@") ? `\0${path.slice(1)}` : path;
}

function findInode(fd: number): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
  } catch {
    return undefined;
  }
}

// proc(5): `Num RefCount Protocol Flags Type St Inode Path`
function findUnix(inode: string): string[] | undefined {
  return readTable("unix").find((fields) => fields[6] === inode);
}

function readTable(name: string): string[][] {
  try {
    const lines = readFileSync(`/proc/self/net/${name}`, "utf8").split("\n").slice(1);
    return lines.map((line) => line.trim().split(/ +/));
  } catch {
    return [];
  }
}
