/** The ways to a daemon: connect to a running one, spawn one, or run one in this process. */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { DaemonPeer, WatcherHandlers } from "../../client/reach.js";
import { openChannel } from "../../protocol/channel.js";
import { Daemon } from "../../protocol/daemon.js";
import { connect } from "../../protocol/peer.js";
import { createPair, type Transport } from "../../protocol/transport.js";
import { Watcher } from "../../protocol/watcher.js";
import { thrifty } from "../thrift.js";

export { type DaemonPeer, type Reached, reachDaemon } from "../../client/reach.js";

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

function describeEnd(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    // The channel's errors come here, too: that it was closed already, say, by a daemon that is about to end.
    child.on("error", (error) => child.pid === undefined && resolve(error.message));
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
