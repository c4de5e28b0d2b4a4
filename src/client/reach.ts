/** One connection to a daemon that should be running, on this machine or another one. */
import type { Handlers } from "../protocol/contract.js";
import { Daemon } from "../protocol/daemon.js";
import { openFrames } from "../protocol/frames.js";
import { connect, type Peer } from "../protocol/peer.js";
import { Watcher } from "../protocol/watcher.js";
import { type Opened, openSocket } from "./socket.js";
import type { Host } from "./types.js";

export type DaemonPeer = Peer<typeof Daemon>;
export type WatcherHandlers = Handlers<typeof Watcher>;

export type Reached =
  | {
      readonly outcome: "connected";
      readonly peer: DaemonPeer;
      /** Why a connection to another host was lost. */
      readonly explainLoss?: () => Promise<string>;
    }
  | Exclude<Opened, { outcome: "connected" }>
  /** The other host, or naught on it, cannot be reached. `login`: a person at a terminal might help. */
  | { readonly outcome: "unreachable"; readonly why: string; readonly login?: boolean };

/** A path is a socket on this machine, where a daemon that has died is waited for at most `patience` ms, if one may follow. */
export async function reachDaemon(
  target: string | Host,
  handlers: WatcherHandlers,
  patience?: number,
): Promise<Reached> {
  // Loaded when it is needed: a command on this machine should not pay for it.
  if (typeof target !== "string") return (await import("./ssh-reach.js")).reachOverSsh(target, handlers);
  const opened = await openSocket(target, patience);
  if (opened.outcome !== "connected") return opened;
  return { outcome: "connected", peer: connect(openFrames(opened.socket), Watcher, handlers, Daemon) };
}
