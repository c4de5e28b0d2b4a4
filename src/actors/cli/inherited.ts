/** Listening sockets that naught itself was given: by systemd, by launchd, or by whoever set LISTEN_FD. */
import { fstatSync } from "node:fs";
import { isListening } from "../socket-table.js";
import { CannotStart } from "./cannot-start.js";
import { openLaunchd } from "./launchd.js";
import { UsageError } from "./usage-error.js";

/** The first descriptor that systemd passes. */
const firstSystemdFd = 3;

export interface InheritanceOptions {
  readonly daemonMode: boolean;
  /** Empty: none. */
  readonly launchdSocket: string;
}

export interface Inheritance {
  /** Their descriptors in this process, in order. */
  readonly fds: readonly number[];
  /** Their names, in the same order; empty where nobody told them. */
  readonly names: readonly string[];
}

/** Throws a UsageError, or a CannotStart. */
export function findInheritance(
  { daemonMode, launchdSocket }: InheritanceOptions,
  environment: NodeJS.ProcessEnv,
): Inheritance {
  if (launchdSocket !== "") {
    const activate = openLaunchd();
    if (daemonMode) throw new UsageError("--launchd-socket needs --daemon-mode false");
    const fds = activate(launchdSocket);
    return { fds, names: fds.map(() => launchdSocket) };
  }
  const count = countSystemdFds(environment);
  if (count === 0) return { fds: findListenFd(environment), names: [] };
  if (daemonMode) throw new UsageError("sockets from systemd need --daemon-mode false");
  const fds = Array.from({ length: count }, (_, index) => checkSocket("LISTEN_FDS", firstSystemdFd + index));
  return { fds, names: nameSystemdFds(environment, count) };
}

function countSystemdFds({ LISTEN_FDS, LISTEN_PID }: NodeJS.ProcessEnv): number {
  // Otherwise they were meant for a parent of this process, and are long closed.
  if (Number(LISTEN_PID) !== process.pid) return 0;
  return /^\d{1,4}$/.test(LISTEN_FDS ?? "") ? Number(LISTEN_FDS) : 0;
}

// As sd_listen_fds_with_names(3) does it: what has no name is called `unknown`.
function nameSystemdFds({ LISTEN_FDNAMES }: NodeJS.ProcessEnv, count: number): string[] {
  if (LISTEN_FDNAMES === undefined || LISTEN_FDNAMES === "") return [];
  const names = LISTEN_FDNAMES.split(":");
  if (names.length > count) {
    throw new CannotStart(
      `LISTEN_FDNAMES has ${names.length} names for ${count} ${count === 1 ? "socket" : "sockets"}: ${LISTEN_FDNAMES}`,
    );
  }
  return Array.from({ length: count }, (_, index) => names[index] || "unknown");
}

function findListenFd({ LISTEN_FD }: NodeJS.ProcessEnv): number[] {
  if (LISTEN_FD === undefined || LISTEN_FD === "") return [];
  if (!/^\d{1,9}$/.test(LISTEN_FD)) {
    throw new CannotStart(`LISTEN_FD should be the number of a file descriptor, not "${LISTEN_FD}"`);
  }
  const fd = checkSocket("LISTEN_FD", Number(LISTEN_FD));
  if (isListening(fd) === false) {
    throw new CannotStart(`LISTEN_FD: file descriptor ${fd} is a socket that does not listen`);
  }
  return [fd];
}

// systemd hands over sockets of datagrams, too, on which nobody listens.
function checkSocket(variable: string, fd: number): number {
  try {
    if (fstatSync(fd).isSocket()) return fd;
  } catch {
    // Not open at all.
  }
  throw new CannotStart(`${variable}: file descriptor ${fd} is not an open socket`);
}
