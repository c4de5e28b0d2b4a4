/** One daemon per ipc file: the lock, which its holder's death frees, and the record of who the last holder was. */
import { createHash } from "node:crypto";
import { existsSync, linkSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { basename, dirname } from "node:path";
import { type Owner, ownerFile, readOwner } from "../owner-file.js";
import { readProcess } from "../proc.js";
import { replaceFile, writeBeside } from "./whole-file.js";

export interface Lock {
  /** Whether the last holder left a record, and is known to be dead. */
  readonly lastOwnerIsDead: boolean;
  /** Leaves word of who holds the lock, for the one who finds it after a crash. */
  record(): void;
  release(): void;
}

/** Resolves to null when another process holds it. Where names cannot be bound, the record itself is the lock. */
export async function takeLock(ipcFile: string): Promise<Lock | null> {
  const path = ownerFile(ipcFile);
  const lastOwner = readOwner(path);
  const hasNames = process.platform === "linux";
  const held = hasNames ? await bindName(nameLock(ipcFile)) : claimFile(path);
  if (!held) return null;
  return {
    lastOwnerIsDead: lastOwner !== null && isDead(lastOwner),
    record() {
      if (hasNames) replaceFile(path, describeSelf(), privately);
    },
    release() {
      // Not that of another who has the directory's path by now.
      if (JSON.stringify(readOwner(path)) === describeSelf()) rmSync(path, { force: true });
      held();
    },
  };
}

const privately = 0o600;

function describeSelf(): string {
  const { startTime = "" } = readProcess(process.pid) ?? {};
  const self: Owner = { pid: process.pid, startTime, bootId: readBootId(), hostname: hostname() };
  return JSON.stringify(self);
}

function isDead({ pid, startTime, bootId, hostname: host }: Owner): boolean {
  if (bootId !== readBootId()) {
    // Another boot of this machine; of another machine nothing can be known.
    return host === hostname();
  }
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
  const now = readProcess(pid);
  // A zombie keeps its number until its parent asks for it, which in a container may be never.
  return now !== null && (now.state === "Z" || now.startTime !== startTime);
}

function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}

// The directory by its inode: the same path may be another directory in another mount namespace. By its name while there
// is none, which whoever stands in for a dead daemon must not wait for.
function nameLock(ipcFile: string): string {
  const found = statSync(dirname(ipcFile), { throwIfNoEntry: false });
  const folder = found ? `${found.dev} ${found.ino}` : dirname(ipcFile);
  const name = createHash("sha256")
    .update(`${folder} ${basename(ipcFile)}`)
    .digest("hex");
  return `\0naught-${name}`;
}

/** An abstract unix socket (unix(7)) is free again the moment its process is gone, however it went. */
function bindName(name: string): Promise<(() => void) | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    // To the end: a connection that cannot be accepted, for want of descriptors, is an error, too.
    server.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(null);
      else reject(error);
    });
    server.listen(name, () => {
      server.unref();
      resolve(() => server.close());
    });
  });
}

// Linked, so that the record is complete from the moment it is there.
function claimFile(path: string): (() => void) | null {
  const record = writeBeside(path, describeSelf(), privately);
  try {
    return link(record, path) || replaceDead(record, path) ? () => {} : null;
  } finally {
    rmSync(record, { force: true });
  }
}

// Under a guard: since it was looked at, the dead record may have made room for a living one, which must stay. In one step:
// whoever found nothing here would not know that the last owner is dead.
function replaceDead(record: string, path: string): boolean {
  const guard = `${path}.guard`;
  if (look(path) === "living") return false;
  if (look(guard) === "dead") rmSync(guard, { force: true });
  if (!link(record, guard)) return false;
  try {
    if (look(path) !== "dead") return link(record, path);
    renameSync(record, path);
    return true;
  } finally {
    rmSync(guard, { force: true });
  }
}

function link(record: string, path: string): boolean {
  try {
    linkSync(record, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

function look(path: string): "absent" | "living" | "dead" {
  // In this order: one that comes in between is read.
  if (!existsSync(path)) return "absent";
  const owner = readOwner(path);
  return owner && !isDead(owner) ? "living" : "dead";
}
