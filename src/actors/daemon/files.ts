/** The files by which a daemon is found: the ipc socket, the pid file, the state file. Owns their coming and going. */
import { rmSync } from "node:fs";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { now } from "../../clock.js";
import { NaughtError } from "../../protocol/errors.js";
import type { Start } from "../../protocol/types.js";
import { findRemains } from "../remains.js";
import { stateFile } from "../state-file.js";
import { type Access, clearWay, createIpcSocket, type IpcSocket } from "./ipc-socket.js";
import { removeLeftovers } from "./leftovers.js";
import { type Lock, takeLock } from "./lock.js";
import { removePidFile, watchPidFile, writePidFile } from "./pid-file.js";
import { guardPresences, identify, type Presence } from "./presence.js";
import { replaceFile } from "./whole-file.js";
import { cannotWrite, makeFolder, writing } from "./writing.js";

export interface Files {
  /** Makes them anew whenever somebody has removed them; `tell` gets a line about that, once. */
  guard(tell: (line: string) => void): void;
  /** Removes what was made. */
  close(): void;
  /** For whoever brings another daemon up when nobody else is left; only its own user can read it. */
  writeState(text: string): void;
}

type Paths = Access & Pick<Start, "ipcFile" | "pidFile">;

/** Throws AlreadyRunning, StaleIpc, IpcNotSocket, BadLaunch or CannotWrite; then nothing was made but directories. */
export async function openFiles(
  paths: Paths & Pick<Start, "removeOldIpc">,
  accept: (socket: Socket) => void,
): Promise<Files> {
  const { ipcFile, pidFile, removeOldIpc } = paths;
  if (ipcFile === pidFile)
    throw new NaughtError("BadLaunch", "the ipc file and the pid file must not be the same");
  makeFolder(ipcFile);
  const lock = await takeLockAlone(ipcFile);
  try {
    await clearWay(ipcFile, removeOldIpc, lock.lastOwnerIsDead);
    makeFolder(pidFile);
    attempt(() => removeLeftovers(paths));
    // Before there is a socket, so that none is ever without its owner.
    writing(ipcFile, () => lock.record());
    const socket = createIpcSocket(ipcFile, paths, accept);
    await socket.bind();
    const files = stand(paths, { lock, socket });
    try {
      writePidFile(pidFile);
    } catch (error) {
      files.close();
      throw error;
    }
    return files;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Stands in for a daemon that has died: with its socket, which takes the place of the dead one in one step, and then its
 * pid file. `prepare` is waited for when it is certain that nobody else stands in. What cannot be written is tried again
 * by the guard: the server needs its daemon, reachable or not. Throws AlreadyRunning, and what `prepare` throws.
 */
export async function replaceFiles(
  paths: Paths,
  accept: (socket: Socket) => void,
  prepare: () => Promise<void>,
): Promise<Files> {
  const { ipcFile, pidFile } = paths;
  attempt(() => makeFolder(ipcFile));
  const lock = await takeLockSoon(ipcFile).catch((error: unknown) => refuseWrite(ipcFile, error));
  if (!lock) throw new NaughtError("AlreadyRunning");
  const socket = createIpcSocket(ipcFile, paths, accept);
  try {
    await socket.bindAside().catch(() => {});
    await prepare();
  } catch (error) {
    socket.close();
    lock.release();
    throw error;
  }
  attempt(() => lock.record());
  attempt(() => socket.takePlace());
  attempt(() => writePidFile(pidFile));
  attempt(() => removeLeftovers(paths));
  return stand(paths, { lock, socket });
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

/** From now on they are looked after, and in the end removed. */
function stand(
  { ipcFile, pidFile }: Paths,
  { lock: first, socket }: { readonly lock: Lock; readonly socket: IpcSocket },
): Files {
  let lock = first;
  let folder = identify(dirname(ipcFile));
  let closed = false;
  let endGuard = (): void => {};
  /** What could not be written. */
  let unwritten: string | undefined;

  // The name of the lock depends on the directory, which may have been made anew, and used by somebody else already.
  async function bindAnew(): Promise<void> {
    makeFolder(ipcFile);
    if (identify(dirname(ipcFile)) !== folder) {
      const next = await takeLock(ipcFile);
      if (!next) throw new NaughtError("AlreadyRunning");
      lock.release();
      lock = next;
      folder = identify(dirname(ipcFile));
    }
    writing(ipcFile, () => lock.record());
    if (identify(ipcFile) === undefined) await socket.bind();
    else {
      await socket.bindAside();
      socket.takePlace();
    }
    if (closed) release();
  }

  function release(): void {
    if (socket.look() === "here") attempt(() => rmSync(stateFile(ipcFile), { force: true }));
    attempt(() => socket.close());
    attempt(() => lock.release());
  }

  function writeState(text: string): void {
    try {
      replaceFile(stateFile(ipcFile), text, 0o600);
      unwritten = undefined;
    } catch (error) {
      unwritten = text;
      // One of another time would bring another server back.
      attempt(() => rmSync(stateFile(ipcFile), { force: true }));
      throw cannotWrite(stateFile(ipcFile), error);
    }
  }

  const ipc: Presence = { path: ipcFile, look: socket.look, restore: bindAnew };
  // Without it only the revival by a worker is impossible.
  const state: Presence = {
    path: stateFile(ipcFile),
    look: () => (unwritten === undefined || socket.look() !== "here" ? "here" : "gone"),
    restore: () => writeState(unwritten ?? ""),
  };

  return {
    writeState: (text) => attempt(() => writeState(text)),
    guard(tell) {
      endGuard = guardPresences([ipc, watchPidFile(pidFile), state], tell);
    },
    close() {
      closed = true;
      endGuard();
      removePidFile(pidFile);
      attempt(() => removeLeftovers({ ipcFile, pidFile }));
      release();
    },
  };
}

function refuseWrite(path: string, error: unknown): never {
  throw cannotWrite(path, error);
}

/** What fails is tried again later, or does no harm. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // The guard tells.
  }
}
