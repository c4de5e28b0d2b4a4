/** What daemon, master and workers ask of each other. */

import type { Status } from "./calls.js";
import type { DrainChanges, DrainTimes, ResolvedLaunch } from "./launch.js";
import type { Counts, NaughtEvent, WorkerInfo, WorkerRef } from "./vocabulary.js";

/** What the master is born with. */
export interface MasterStart {
  launch: ResolvedLaunch;
  /** @type uint32 */
  workerCount: number;
  /**
   * The number of the first generation.
   * @type uint32
   */
  generation: number;
  drain: DrainTimes;
  /** The file that each worker loads before the application. */
  preload: string;
  /** True when an earlier master served with this launch already: a worker that dies is then replaced, not a failed start. */
  resume: boolean;
  output: OutputStreams;
  /** Descriptors, in the master, of the listening sockets that naught was given. */
  listenFds: number[];
  /** The names of those sockets; empty where nobody told them. */
  listenNames: string[];
  /** How the workers find the daemon when this master is gone. */
  lifeline?: LifelineTerms;
  /**
   * The number of its first worker, which no worker of an earlier master has had.
   * @type uint32
   */
  nextWorker?: number;
  /**
   * The number of the generation that its first deploy makes, which no deploy of an earlier master has had.
   * @type uint32
   */
  nextGeneration?: number;
}

/** How a worker finds the daemon when its master is gone. */
export interface LifelineTerms {
  ipcFile: string;
  /** By this the daemon knows its own workers. */
  token: string;
  /**
   * Which of the daemon's masters, counted from 1, the worker belongs to.
   * @type uint32
   */
  master: number;
  /** How it leaves when there is nobody to tell it. */
  times: DrainTimes;
}

/** A worker that says who it is. */
export interface Lifeline {
  worker: WorkerRef;
  /** @type uint32 */
  master: number;
  token: string;
}

/** A deploy with everything resolved. */
export interface MasterDeploy {
  id: string;
  launch: ResolvedLaunch;
  /** @type uint32 */
  workerCount: number;
  timeout?: number;
  drain?: DrainChanges;
}

/** Which of the workers failed, for whoever knows what it printed. */
export interface Failed {
  /** One line that says why. */
  reason: string;
  worker?: WorkerRef;
}

/** How the first generation ended up. */
export interface MasterStarted {
  outcome: "ready" | "failed" | "stopped";
  counts: Counts;
  failed?: Failed;
}

/** How a deploy ended in the pool. */
export interface MasterSettled {
  deploy: string;
  outcome: "done" | "failed" | "aborted";
  counts: Counts;
  /** @type uint32 */
  killed: number;
  failed?: Failed;
}

/** What serves now: sent when a generation takes over, so that a new master can be started with it. */
export interface Serving {
  /** @type uint32 */
  generation: number;
  /** @type uint32 */
  workerCount: number;
  launch: ResolvedLaunch;
  /** The id of the deploy that made it. */
  deploy?: string;
}

/** What becomes of the workers' output. */
export interface OutputStreams {
  /** True: it goes to the daemon; false: nowhere. */
  stdout: boolean;
  stderr: boolean;
  /** True: the daemon can open, through /proc, what the master has open. */
  procfs?: boolean;
  /** Where pipes may be made if they cannot be made among the temporary files. */
  directory?: string;
}

/** What has become different in the pool since the last time, so that the daemon knows its status without asking. */
export interface PoolChange extends Omit<Status, "counts" | "workers"> {
  /** True: workers that are not named are not there. */
  whole: boolean;
  /** Those that are new or different. */
  workers: WorkerInfo[];
  /** The ids of those that are gone. */
  gone: number[];
}

/** Who writes a line, and where to. */
export interface LineWriter {
  worker: WorkerRef;
  stream: "stdout" | "stderr";
}

/** Whose output a pipe carries: the one at the path, or else the one that comes with this message. */
export interface Output extends LineWriter {
  /** A FIFO, which can be opened any number of times. */
  path?: string;
  /** Why there is none. */
  obstacle?: string;
}

/** What a server in a worker wants to listen on, as Node's own cluster module would ask its primary. */
export interface Listen {
  /** An IP address, the path of a unix socket, or null for any address. */
  address: string | null;
  /** -1 for a unix socket; null with `fd`. */
  port: number | null;
  /** 4 or 6; -1 for a unix socket; null with `fd`. */
  addressType: number | null;
  /** True: a socket of datagrams. */
  datagram?: boolean;
  /** The number, in the worker, of a socket that naught was given. */
  fd?: number;
  /** libuv's flags for binding: 1 is IPv6 only; of a socket of datagrams, 4 is SO_REUSEADDR. */
  flags?: number;
  /** Tells several servers of one worker on the same address apart; 0 for the first. */
  index: number;
  /** A unix socket that everybody may read from. */
  readableAll?: boolean;
  /** A unix socket that everybody may write to. */
  writableAll?: boolean;
  /** What a TLS server seals its sessions with, in base64. */
  ticketKeys?: string;
}

/** A worker's wish to listen, with its name. */
export interface HostListen extends Listen {
  worker: WorkerRef;
}

/** The answer to a wish to listen; the socket comes with it. */
export interface Listened {
  /** 0, or libuv's negative error number. */
  errno: number;
  /** Names the socket from now on. */
  key: string;
  /** True: no socket comes; the worker is to ask node:cluster itself. */
  native: boolean;
  /** True: this is about a socket of datagrams. An earlier daemon, which knows of none, takes each for another one. */
  datagram?: boolean;
  /** The address that was tried in vain, where the server named none. */
  address?: string;
  /** What the TLS servers of this generation on this address seal their sessions with, in base64. */
  ticketKeys?: string;
  /** True: the worker is not to accept before it is told `serve`, because its generation has not taken over yet. */
  withheld?: boolean;
}

/** Names a generation. */
export interface GenerationRef {
  /** @type uint32 */
  generation: number;
}

/** Names a socket. */
export interface SocketRef {
  key: string;
}

/** One more socket for a server to accept from. */
export interface Adopt extends SocketRef {
  /** The socket by which the worker knows the server. */
  own: string;
}

/** One more socket for a worker. */
export interface MasterAdopt extends Adopt {
  worker: WorkerRef;
}

/** A worker that is not to accept from a socket any more. */
export interface MasterDisown extends SocketRef {
  worker: WorkerRef;
}

/** A worker that has closed a socket. */
export interface HostUnlisten extends SocketRef {
  worker: WorkerRef;
}

/** The application said that it is ready. */
export interface Online {
  /** A debugger may stop it at any moment. */
  inspected?: boolean;
}

/** How a worker is. */
export interface Pulse {
  /**
   * Bytes of resident memory.
   * @type uint64
   */
  memory: number;
  /** A debugger may stop it at any moment. */
  inspected: boolean;
}

/** What the daemon wants to be remembered, for the one that follows it if it dies. */
export interface Keep {
  /** Replace those of the same names; each is a JSON text that only a daemon has to understand. */
  parts?: Record<string, string>;
  /** The newest event. */
  event?: NaughtEvent;
  /** Events before that one, the oldest first. */
  events?: NaughtEvent[];
  /**
   * How many events of this master the daemon has dealt with.
   * @type uint32
   */
  heard?: number;
}

/** What a daemon that died has left to the next. */
export interface Inheritance {
  parts: Record<string, string>;
  /** Its last events, the latest last. */
  events: NaughtEvent[];
  /**
   * The process id of the master that hands it over; 0 for a worker, whose master is dead.
   * @type uint32
   */
  master: number;
}

/** No parameters, or nothing to say. */
// biome-ignore lint/complexity/noBannedTypes: typia and JSON Schema read it as "any object", which is what is meant
export type Empty = {};
