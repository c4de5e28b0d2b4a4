/** The vocabulary of the package's client. Types only. */
import type { Client as Methods } from "../protocol/contract.js";
import type { Daemon } from "../protocol/daemon.js";
import type { NaughtEvent, Notice, Waiting } from "../protocol/types.js";

/** A daemon on another host, which is reached through the system's ssh. */
export interface Host {
  /** `[user@]host[:port]` */
  readonly host: string;
  /** On that host, from its login directory. */
  readonly ipcFile?: string | undefined;
  /** What the shell there is to run in place of `naught`, as it would be typed there. */
  readonly command?: string | undefined;
  /** Seconds without a sign of life after which the link counts as broken. */
  readonly patience?: number | undefined;
  /** True: ssh may ask for a passphrase or about a host key at the terminal. */
  readonly mayAsk?: boolean | undefined;
  /** Is given each line that comes on stderr from over there once the connection stands. */
  readonly onNote?: ((line: string) => void) | undefined;
}

export type ClientEvent = NaughtEvent | Gap;

/** In place of events that nobody can tell any more: how many, or null where that is unknown. */
export interface Gap {
  readonly name: "Gap";
  readonly missed: number | null;
}

export interface ConnectOptions {
  /** False: a connection that breaks is not made anew. */
  readonly reconnect?: boolean;
  /** Milliseconds before the second try to come back; doubled with each further one, up to `longestDelay`. */
  readonly firstDelay?: number;
  readonly longestDelay?: number;
  /** How many tries in a row may fail until the client gives up. */
  readonly attempts?: number;
  /** Is told every 5 seconds which workers a call of this client waits for. */
  readonly onWaiting?: (waiting: Waiting) => void;
  readonly onNotice?: (notice: Notice) => void;
}

type DaemonMethods = Methods<typeof Daemon>;

/** The daemon's methods, where parameters that are all optional may be left out. */
type Calls = {
  readonly [K in Exclude<keyof DaemonMethods, "start">]: object extends Parameters<DaemonMethods[K]>[0]
    ? (params?: Parameters<DaemonMethods[K]>[0]) => ReturnType<DaemonMethods[K]>
    : (params: Parameters<DaemonMethods[K]>[0]) => ReturnType<DaemonMethods[K]>;
};

export interface Client extends Calls {
  /**
   * Everything that happens from now on. When the connection breaks, what was missed meanwhile comes first, or a
   * `Gap` in its place. It ends with `close()`, and fails when the daemon cannot be reached any more.
   */
  events(): AsyncIterableIterator<ClientEvent>;
  /** Ends the connection; calls in flight are rejected as `Lost`. What they have begun goes on. */
  close(): void;
}
