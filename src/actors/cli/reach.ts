/** The ways to a daemon: connect to a running one, spawn one, or run one in this process. */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { connect as connectSocket, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openChannel } from "../../protocol/channel.js";
import type { Handlers } from "../../protocol/contract.js";
import { Daemon } from "../../protocol/daemon.js";
import { openFrames } from "../../protocol/frames.js";
import { connect, type Peer } from "../../protocol/peer.js";
import { createPair, type Transport } from "../../protocol/transport.js";
import { Watcher } from "../../protocol/watcher.js";

export type DaemonPeer = Peer<typeof Daemon>;
type WatcherHandlers = Handlers<typeof Watcher>;

export type Reached =
  | { readonly outcome: "connected"; readonly peer: DaemonPeer }
  /** Nothing is there. */
  | { readonly outcome: "absent" }
  /** Something is there, but nobody answers, or it is no socket. */
  | { readonly outcome: "unanswered" }
  | { readonly outcome: "refused"; readonly why: string };

export async function reachDaemon(ipcFile: string, handlers: WatcherHandlers): Promise<Reached> {
  for (let attempt = 1; ; attempt++) {
    const socket = await openSocket(ipcFile);
    if (!(socket instanceof Error)) {
      return { outcome: "connected", peer: connect(openFrames(socket), Watcher, handlers, Daemon) };
    }
    if (socket.code === "ENOENT") return { outcome: "absent" };
    if (socket.code === "ECONNREFUSED" || socket.code === "ENOTSOCK") return { outcome: "unanswered" };
    // The queue of a busy daemon is full for a moment.
    if (socket.code !== "EAGAIN" || attempt === 50) return { outcome: "refused", why: socket.message };
    await sleep(20);
  }
}

function openSocket(path: string): Promise<Socket | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    const socket = connectSocket(path);
    socket.once("error", resolve);
    socket.once("connect", () => {
      socket.off("error", resolve);
      resolve(socket);
    });
  });
}

export interface SpawnedDaemon {
  readonly peer: DaemonPeer;
  readonly pid: number | undefined;
  /** Settles with a description of its end once the process is gone, or could not be spawned. */
  readonly ended: Promise<string>;
  /** Lets go of it, so that this process may end while the daemon lives on. */
  release(): void;
}

/** `fds` become its descriptors from `firstInheritedFd` on. */
export function spawnDaemon(
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly fds: readonly number[] },
  handlers: WatcherHandlers,
): SpawnedDaemon {
  const child = spawn(process.execPath, [...thrifty, join(import.meta.dirname, "daemon.cjs")], {
    detached: true,
    // None of the caller's: `$(naught start …)` waits until the last of them is closed.
    stdio: ["ignore", "ignore", "ignore", "ipc", ...options.fds],
    cwd: options.cwd,
    env: options.env,
  });
  const ended = describeEnd(child);
  const peer = connect(openChannel(child), Watcher, handlers, Daemon);
  return {
    peer,
    pid: child.pid,
    ended,
    release() {
      peer.close();
      child.unref();
    },
  };
}

export const firstInheritedFd = 4;

// Garbage is collected early: a daemon under a flood of clients grows by megabytes instead of a hundred.
const thrifty = ["--max-semi-space-size=1", "--optimize-for-size"];

function describeEnd(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) =>
      resolve(signal ? `the daemon was killed by ${signal}` : `the daemon ended with exit code ${code}`),
    );
  });
}

export type ServeDaemon = (transport: Transport, ended: (exitCode: number) => void) => void;

/** `ended` settles with the exit code when the daemon is through. */
export function runDaemonHere(handlers: WatcherHandlers): { peer: DaemonPeer; ended: Promise<number> } {
  const file = join(import.meta.dirname, "daemon.cjs");
  const { serveDaemon } = createRequire(file)(file) as { serveDaemon: ServeDaemon };
  const [near, far] = createPair();
  const ended = new Promise<number>((resolve) => serveDaemon(far, resolve));
  return { peer: connect(near, Watcher, handlers, Daemon), ended };
}
