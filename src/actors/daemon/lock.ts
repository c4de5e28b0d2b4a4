/** One daemon per ipc file: the lock, which its holder's death frees, and the record of who the last holder was. */
import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { basename, dirname } from "node:path";

export interface Lock {
  release(): void;
}

/** Resolves to null when another process holds it. */
export async function takeLock(ipcFile: string): Promise<Lock | null> {
  const owner = `${ipcFile}.owner`;
  const held = process.platform === "linux" ? await bindName(nameLock(ipcFile)) : claimFile(owner);
  if (!held) return null;
  return {
    release() {
      rmSync(owner, { force: true });
      held();
    },
  };
}

/** Leaves word of who holds the lock, for the one who finds it after a crash. */
export function recordOwner(ipcFile: string): void {
  const temporary = `${ipcFile}.owner.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  renameSync(temporary, `${ipcFile}.owner`);
}

/** Whether the recorded owner of the ipc file is known to be dead. */
export function isOwnerDead(ipcFile: string): boolean {
  const owner = readOwner(`${ipcFile}.owner`);
  return owner !== null && isDead(owner);
}

interface Owner {
  readonly pid: number;
  /** In clock ticks after boot; "" where it cannot be told. */
  readonly startTime: string;
  readonly bootId: string;
  readonly hostname: string;
}

function identify(pid: number): Owner {
  return { pid, startTime: readStartTime(pid), bootId: readBootId(), hostname: hostname() };
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
  return startTime !== readStartTime(pid);
}

function readOwner(path: string): Owner | null {
  try {
    const owner = JSON.parse(readFileSync(path, "utf8")) as Partial<Owner>;
    const { pid, startTime, bootId, hostname: host } = owner;
    if (typeof pid !== "number" || typeof startTime !== "string") return null;
    return { pid, startTime, bootId: String(bootId), hostname: String(host) };
  } catch {
    return null;
  }
}

/** proc(5): field 22 of /proc/PID/stat, counted after the command's name, which may contain anything. */
function readStartTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}

// The directory by its inode: the same path may be another directory in another mount namespace.
function nameLock(ipcFile: string): string {
  const { dev, ino } = statSync(dirname(ipcFile));
  const name = createHash("sha256")
    .update(`${dev} ${ino} ${basename(ipcFile)}`)
    .digest("hex");
  return `\0naught-${name}`;
}

/** An abstract unix socket (unix(7)) is free again the moment its process is gone, however it went. */
function bindName(name: string): Promise<(() => void) | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(null);
      else reject(error);
    });
    server.listen(name, () => {
      server.unref();
      resolve(() => server.close());
    });
  });
}

function claimFile(path: string): (() => void) | null {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      writeFileSync(path, JSON.stringify(identify(process.pid)), { flag: "wx", mode: 0o600 });
      return () => {};
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const owner = readOwner(path);
      if (owner && !isDead(owner)) return null;
      rmSync(path, { force: true });
    }
  }
  return null;
}
