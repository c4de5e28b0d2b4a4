/** Listening sockets that naught itself was given: by systemd, by launchd, or by whoever set LISTEN_FD. */
import { fstatSync } from "node:fs";
import { CannotStart } from "./cannot-start.js";
import { UsageError } from "./usage-error.js";

/** The first descriptor that systemd passes. */
const firstSystemdFd = 3;

export interface InheritanceOptions {
  readonly daemonMode: boolean;
  /** Empty: none. */
  readonly launchdSocket: string;
}

/** Their descriptors in this process, in order. Throws a UsageError, or a CannotStart. */
export async function findInheritedFds(
  { daemonMode, launchdSocket }: InheritanceOptions,
  environment: NodeJS.ProcessEnv,
): Promise<number[]> {
  if (launchdSocket !== "") {
    if (process.platform !== "darwin") throw new UsageError("--launchd-socket works on macOS only");
    if (daemonMode) throw new UsageError("--launchd-socket needs --daemon-mode false");
    const { activateSocket } = await import("./launchd.js");
    return activateSocket(launchdSocket);
  }
  const fds = countSystemdFds(environment);
  if (fds === 0) return findListenFd(environment);
  if (daemonMode) throw new UsageError("sockets from systemd need --daemon-mode false");
  return Array.from({ length: fds }, (_, index) => checkSocket("LISTEN_FDS", firstSystemdFd + index));
}

function countSystemdFds({ LISTEN_FDS, LISTEN_PID }: NodeJS.ProcessEnv): number {
  // Otherwise they were meant for a parent of this process, and are long closed.
  if (Number(LISTEN_PID) !== process.pid) return 0;
  return /^\d{1,4}$/.test(LISTEN_FDS ?? "") ? Number(LISTEN_FDS) : 0;
}

function findListenFd({ LISTEN_FD }: NodeJS.ProcessEnv): number[] {
  if (LISTEN_FD === undefined || LISTEN_FD === "") return [];
  if (!/^\d{1,9}$/.test(LISTEN_FD)) {
    throw new CannotStart(`LISTEN_FD should be the number of a file descriptor, not "${LISTEN_FD}"`);
  }
  return [checkSocket("LISTEN_FD", Number(LISTEN_FD))];
}

function checkSocket(variable: string, fd: number): number {
  try {
    if (fstatSync(fd).isSocket()) return fd;
  } catch {
    // Not open at all.
  }
  throw new CannotStart(`${variable}: file descriptor ${fd} is not an open socket`);
}
