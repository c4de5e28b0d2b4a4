/** The files by which a daemon is found: the ipc socket and the pid file. Owns their coming and going. */
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { NaughtError } from "../../protocol/errors.js";
import { explain } from "./launch.js";
import { isOwnerDead, type Lock, recordOwner, takeLock } from "./lock.js";

export interface Files {
  /** Removes what was made. */
  close(): void;
}

/** Throws AlreadyRunning, StaleIpc, IpcNotSocket or CannotWrite; then nothing was made. */
export async function openFiles(
  { ipcFile, pidFile, removeOldIpc }: { ipcFile: string; pidFile: string; removeOldIpc: boolean },
  accept: (socket: Socket) => void,
): Promise<Files> {
  writing(ipcFile, () => mkdirSync(dirname(ipcFile), { recursive: true }));
  writing(pidFile, () => mkdirSync(dirname(pidFile), { recursive: true }));
  const lock = await takeLock(ipcFile).catch((error: unknown) => refuseWrite(ipcFile, error));
  if (!lock) throw new NaughtError("AlreadyRunning");
  try {
    await clearWay(ipcFile, removeOldIpc);
    return await publish(ipcFile, pidFile, lock, accept);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function publish(
  ipcFile: string,
  pidFile: string,
  lock: Lock,
  accept: (socket: Socket) => void,
): Promise<Files> {
  const server = await listen(ipcFile, accept);
  const close = (): void => {
    removePidFile(pidFile);
    // Removes the socket's path, too.
    server.close();
    lock.release();
  };
  try {
    writing(ipcFile, () => recordOwner(ipcFile));
    writing(pidFile, () => writePidFile(pidFile));
  } catch (error) {
    close();
    throw error;
  }
  return { close };
}

/** Removes what is left at the path of a daemon that is gone. Called with the lock held. */
async function clearWay(ipcFile: string, removeOldIpc: boolean): Promise<void> {
  const found = lstatSync(ipcFile, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket()) {
    const kind = found.isDirectory()
      ? "a directory"
      : found.isSymbolicLink()
        ? "a symbolic link"
        : "an ordinary file";
    if (!removeOldIpc || found.isDirectory()) {
      throw new NaughtError("IpcNotSocket", `the ipc file ${ipcFile} is ${kind}, not a socket`);
    }
  } else if (await isAnswering(ipcFile)) throw new NaughtError("AlreadyRunning");
  else if (!removeOldIpc && !isOwnerDead(ipcFile)) throw new NaughtError("StaleIpc");
  writing(ipcFile, () => rmSync(ipcFile));
}

function isAnswering(ipcFile: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(ipcFile);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // Anything but a refusal means that somebody may be there, only too busy or not ours to talk to.
    socket.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT"),
    );
  });
}

function listen(ipcFile: string, accept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    // Half-open: a client may close its sending half and wait for the answer.
    const server = createServer({ allowHalfOpen: true }, accept);
    server.once("error", (error) => reject(describe(ipcFile, error)));
    // Bound within this call, so that nobody else can connect, not even for a moment.
    const umask = process.umask(0o177);
    try {
      server.listen(ipcFile, () => resolve(server));
    } finally {
      process.umask(umask);
    }
  });
}

// Written beside it and renamed: nobody reads half a number, and a symbolic link is replaced instead of followed.
function writePidFile(pidFile: string): void {
  const temporary = `${pidFile}.${process.pid}`;
  writeFileSync(temporary, `${process.pid}\n`);
  renameSync(temporary, pidFile);
}

function removePidFile(pidFile: string): void {
  try {
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
