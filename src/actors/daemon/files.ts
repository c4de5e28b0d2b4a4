/** The files by which a daemon is found: the ipc socket and the pid file. Owns their coming and going. */
import {
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { now } from "../../clock.js";
import { NaughtError } from "../../protocol/errors.js";
import type { Start } from "../../protocol/types.js";
import { findRemains } from "../remains.js";
import { stateFile } from "../state-file.js";
import { explain } from "./launch.js";
import { type Lock, takeLock } from "./lock.js";
import { guardPresences, identify, type Presence } from "./presence.js";
import { replaceFile } from "./whole-file.js";

export interface Files {
  /** Makes them anew whenever somebody has removed them; `tell` gets a line about that, once. */
  guard(tell: (line: string) => void): void;
  /** Removes what was made. */
  close(): void;
  /** For whoever brings another daemon up when nobody else is left; only its own user can read it. */
  writeState(text: string): void;
}

/** Throws AlreadyRunning, StaleIpc, IpcNotSocket, BadLaunch or CannotWrite; then nothing was made but directories. */
export async function openFiles(
  { ipcFile, pidFile, removeOldIpc, ...access }: Access & Pick<Start, "ipcFile" | "pidFile" | "removeOldIpc">,
  accept: (socket: Socket) => void,
): Promise<Files> {
  if (ipcFile === pidFile)
    throw new NaughtError("BadLaunch", "the ipc file and the pid file must not be the same");
  writing(ipcFile, () => mkdirSync(dirname(ipcFile), { recursive: true }));
  const lock = await takeLockAlone(ipcFile);
  try {
    await clearWay(ipcFile, removeOldIpc, lock.lastOwnerIsDead);
    return await publish(ipcFile, pidFile, access, lock, accept);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Stands in for a daemon that has died: with its socket, which takes the place of the dead one in one step, and then its
 * pid file. `prepare` is waited for when it is certain that nobody else stands in. Throws AlreadyRunning or CannotWrite.
 */
export async function replaceFiles(
  { ipcFile, pidFile, ...access }: Access & Pick<Start, "ipcFile" | "pidFile">,
  accept: (socket: Socket) => void,
  prepare: () => Promise<void>,
): Promise<Files> {
  writing(ipcFile, () => mkdirSync(dirname(ipcFile), { recursive: true }));
  const lock = await takeLockSoon(ipcFile).catch((error: unknown) => refuseWrite(ipcFile, error));
  if (!lock) throw new NaughtError("AlreadyRunning");
  try {
    await prepare();
    writing(ipcFile, () => lock.record());
    const short = join(dirname(ipcFile), `.${process.pid}`);
    const aside =
      Buffer.byteLength(short) <= Buffer.byteLength(ipcFile) ? short : `${ipcFile}.${process.pid}`;
    const server = await listen(aside, accept);
    widen(aside, access);
    writing(ipcFile, () => renameSync(aside, ipcFile));
    writing(pidFile, () => mkdirSync(dirname(pidFile), { recursive: true }));
    writing(pidFile, () => writePidFile(pidFile));
    return stand({ ipcFile, pidFile, access }, { lock, server }, accept);
  } catch (error) {
    lock.release();
    throw error;
  }
}

// Without it only the revival by a worker is impossible; the directory may be full.
function writeState(ipcFile: string, text: string): void {
  try {
    replaceFile(stateFile(ipcFile), text, 0o600);
  } catch {
    rmSync(stateFile(ipcFile), { force: true });
  }
}

/** Milliseconds in which what a dead daemon has left behind is to bring another one up. */
const revivalPatience = 5_000;

// Master and workers would bring another daemon up beside this one, and their sockets are not to be had any other way.
async function takeLockAlone(ipcFile: string): Promise<Lock> {
  const deadline = now() + revivalPatience;
  for (;;) {
    const lock = await takeLock(ipcFile).catch((error: unknown) => refuseWrite(ipcFile, error));
    if (!lock) throw new NaughtError("AlreadyRunning");
    const left = findRemains(ipcFile) ?? [];
    if (left.length === 0) return lock;
    lock.release();
    if (now() > deadline) throw new NaughtError("BadLaunch", describeRemains(left));
    await sleep(100);
  }
}

function describeRemains(pids: readonly number[]): string {
  const these = `${pids.length === 1 ? "a process" : "processes"} of a server whose daemon has died`;
  return `${these} (pid ${pids.join(", ")}) cannot bring it back; end ${pids.length === 1 ? "it" : "them"} first`;
}

// A process that was killed a moment ago may still have it.
async function takeLockSoon(ipcFile: string): Promise<Lock | null> {
  for (let tries = 0; ; tries += 1) {
    const lock = await takeLock(ipcFile);
    if (lock || tries === 20) return lock;
    await sleep(50);
  }
}

async function publish(
  ipcFile: string,
  pidFile: string,
  access: Access,
  lock: Lock,
  accept: (socket: Socket) => void,
): Promise<Files> {
  writing(pidFile, () => mkdirSync(dirname(pidFile), { recursive: true }));
  // Before there is a socket, so that none is ever without its owner.
  writing(ipcFile, () => lock.record());
  const server = await listen(ipcFile, accept);
  const files = stand({ ipcFile, pidFile, access }, { lock, server }, accept);
  try {
    // Nobody but the owner could connect until now.
    widen(ipcFile, access);
    writing(pidFile, () => writePidFile(pidFile));
  } catch (error) {
    files.close();
    throw error;
  }
  return files;
}

/** Both files are there. From now on they can be looked after, and in the end removed. */
function stand(
  { ipcFile, pidFile, access }: { ipcFile: string; pidFile: string; access: Access },
  held: { readonly lock: Lock; readonly server: Server },
  accept: (socket: Socket) => void,
): Files {
  let { lock, server } = held;
  let own = identify(ipcFile);
  let directory = identify(dirname(ipcFile));
  let closed = false;
  let endGuard = (): void => {};

  // The name of the lock depends on the directory, which may have been made anew, and used by somebody else already.
  async function bindAnew(): Promise<void> {
    writing(ipcFile, () => mkdirSync(dirname(ipcFile), { recursive: true }));
    if (identify(dirname(ipcFile)) !== directory) {
      const next = await takeLock(ipcFile);
      if (!next) throw new NaughtError("AlreadyRunning");
      lock.release();
      lock = next;
      directory = identify(dirname(ipcFile));
    }
    // Closing it removes its path, at which there is nothing now.
    server.close();
    writing(ipcFile, () => lock.record());
    server = await listen(ipcFile, accept);
    own = identify(ipcFile);
    widen(ipcFile, access);
    if (closed) release();
  }

  function release(): void {
    // Removes whatever stands at the path, which may be another daemon's since the directory was made anew.
    if (own !== undefined && identify(ipcFile) === own) {
      rmSync(stateFile(ipcFile), { force: true });
      server.close();
      // The server may know it by another name, from before it took a dead one's place.
      rmSync(ipcFile, { force: true });
    }
    lock.release();
  }

  const ipc: Presence = {
    path: ipcFile,
    look: () => {
      const found = identify(ipcFile);
      return found === undefined ? "gone" : found === own ? "here" : "elsewhere";
    },
    restore: bindAnew,
  };
  const pid: Presence = {
    path: pidFile,
    look: () => (identify(pidFile) === undefined ? "gone" : "here"),
    restore() {
      writing(pidFile, () => mkdirSync(dirname(pidFile), { recursive: true }));
      writing(pidFile, () => writePidFile(pidFile));
    },
  };

  return {
    writeState: (text) => writeState(ipcFile, text),
    guard(tell) {
      endGuard = guardPresences([ipc, pid], tell);
    },
    close() {
      closed = true;
      endGuard();
      removePidFile(pidFile);
      release();
    },
  };
}

/** Removes what is left at the path of a daemon that is gone. Called with the lock held. */
async function clearWay(ipcFile: string, removeOldIpc: boolean, lastOwnerIsDead: boolean): Promise<void> {
  const found = lstatSync(ipcFile, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket() && !(removeOldIpc && (found.isFile() || found.isSymbolicLink()))) {
    throw new NaughtError("IpcNotSocket", `the ipc file ${ipcFile} is ${nameKind(found)}, not a socket`);
  }
  if (await isAnswering(ipcFile)) throw new NaughtError("AlreadyRunning");
  if (!removeOldIpc && !lastOwnerIsDead) throw new NaughtError("StaleIpc");
  writing(ipcFile, () => rmSync(ipcFile));
}

function nameKind(found: Stats): string {
  if (found.isDirectory()) return "a directory";
  if (found.isSymbolicLink()) return "a symbolic link";
  return found.isFile() ? "an ordinary file" : "a device or a pipe";
}

// Anything else means that somebody may be there, only too busy or not ours to talk to.
const nobody: readonly (string | undefined)[] = ["ECONNREFUSED", "ENOENT", "ENOTSOCK", "ENOTDIR", "ELOOP"];

function isAnswering(ipcFile: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(ipcFile);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(!nobody.includes(error.code)));
  });
}

function listen(ipcFile: string, accept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    // Half-open: a client may close its sending half and wait for the answer.
    const server = createServer({ allowHalfOpen: true }, accept);
    // To the end: a connection that cannot be accepted, for want of descriptors, is an error, too.
    server.on("error", (error) => reject(describe(ipcFile, error)));
    // Bound within this call, so that nobody else can connect, not even for a moment.
    const umask = process.umask(0o177);
    try {
      server.listen({ path: ipcFile, exclusive: true }, () => resolve(server));
    } finally {
      process.umask(umask);
    }
  });
}

/** Who may connect, besides the owner. */
type Access = Pick<Start, "ipcMode" | "ipcGroup">;

// The group first: with the mode first, members of the group that it had would get in for a moment.
function widen(
  ipcFile: string,
  { ipcGroup, ipcMode = ipcGroup === undefined ? 0o600 : 0o660 }: Access,
): void {
  try {
    if (ipcGroup !== undefined) lchownSync(ipcFile, process.getuid?.() ?? -1, ipcGroup);
    if (ipcMode !== 0o600) chmodSync(ipcFile, ipcMode & 0o666);
  } catch (error) {
    const whom = ipcGroup === undefined ? "" : ` to group ${ipcGroup}`;
    throw new NaughtError("BadLaunch", `the ipc file ${ipcFile} cannot be opened${whom}: ${explain(error)}`);
  }
}

function writePidFile(pidFile: string): void {
  const found = lstatSync(pidFile, { throwIfNoEntry: false });
  // A device must not be replaced by a file: whoever gives /dev/null wants none.
  if (found?.isCharacterDevice()) return writeFileSync(pidFile, `${process.pid}\n`);
  if (found && !found.isFile() && !found.isSymbolicLink()) throw new Error(`it is ${nameKind(found)}`);
  replaceFile(pidFile, `${process.pid}\n`, 0o644);
}

function removePidFile(pidFile: string): void {
  try {
    // What is no file any more could keep its reader waiting.
    if (!lstatSync(pidFile).isFile()) return;
    if (readFileSync(pidFile, "utf8").trim() === String(process.pid)) rmSync(pidFile);
  } catch {
    // Somebody was faster.
  }
}

function writing(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    refuseWrite(path, error);
  }
}

function refuseWrite(path: string, error: unknown): never {
  throw describe(path, error);
}

function describe(path: string, error: unknown): NaughtError {
  return new NaughtError("CannotWrite", `cannot write ${path}: ${explain(error)}`);
}
