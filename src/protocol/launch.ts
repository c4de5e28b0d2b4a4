/** What a server is started with, and how its workers are given time to leave. */

/** What a worker is started with, as it was asked for. */
export interface Launch {
  /** Absolute path of the script; a symbolic link is followed anew at each deploy. */
  script: string;
  /** The script's own arguments. */
  args: string[];
  /** Arguments for node itself. */
  nodeArgs: string[];
  env: Record<string, string>;
  /** Absolute path of the working directory; a symbolic link is followed anew at each deploy. */
  cwd: string;
  /** Beyond these a worker is replaced; without them it may do as it likes. */
  limits?: Limits;
}

/** What a worker must not do for too long, or use too much of. */
export interface Limits {
  /**
   * Seconds that its event loop may be blocked.
   * @minimum 1
   */
  hang?: number;
  /**
   * Bytes of resident memory.
   * @type uint64
   * @minimum 1
   */
  memory?: number;
}

/** What one deploy changes of the limits; null takes one away. */
export interface LimitChanges {
  /** @minimum 1 */
  hang?: number | null;
  /**
   * @type uint64
   * @minimum 1
   */
  memory?: number | null;
}

/** A launch whose links were followed, which holds for all workers of its generation. */
export interface ResolvedLaunch extends Launch {
  realScript: string;
  realCwd: string;
}

/** How a worker that goes is given time, in seconds. */
export interface DrainTimes {
  /**
   * Idle keep-alive connections stay open for what the server advertised, but at most this long.
   * @minimum 0
   */
  grace: number;
  /**
   * Responses in flight are waited for this long before the application gets `shutdown`.
   * @minimum 0
   */
  timeout: number;
  /**
   * From then on the application has this long until it is killed; without it, it is waited for.
   * @minimum 0
   */
  kill?: number;
}

/** What one command changes of the times given at the start. */
export interface DrainChanges {
  /** @minimum 0 */
  grace?: number;
  /** @minimum 0 */
  timeout?: number;
  /**
   * Null: the application is waited for.
   * @minimum 0
   */
  kill?: number | null;
}

/** Where naught writes a worker's output and its own log: a path, `/dev/null` for nowhere, `-` for naught's own stream. */
export interface LogFiles {
  log: string;
  stdout: string;
  stderr: string;
  /**
   * Bytes after which a log is rotated.
   * @type uint64
   * @minimum 1
   */
  maxSize: number;
  /**
   * How many archives of each log are kept; without it, all of them.
   * @type uint32
   */
  maxFiles?: number;
  /**
   * How many bytes the archives of each log may take together.
   * @type uint64
   */
  maxTotal?: number;
  /** How the workers' lines look. */
  lines?: LineFormat;
  /** How naught's own log looks: `text` unless it is said. */
  own?: "text" | "json";
}

/** How the workers' lines look in their logs. */
export interface LineFormat {
  /** What stands before each line; `none` unless it is said. */
  prefix?: "none" | "worker" | "time" | "worker,time" | "time,worker";
  /** `text` unless it is said. */
  format?: "text" | "json";
}

/** Everything a daemon is born with; sent once, by the process that started it. */
export interface Start {
  ipcFile: string;
  pidFile: string;
  logs: LogFiles;
  /**
   * @type uint32
   * @minimum 1
   * @maximum 1024
   */
  workerCount: number;
  /** False: the daemon lives in the command's own process. */
  daemonMode: boolean;
  /** Remove whatever stands at `ipcFile`, unless a live server answers there. */
  removeOldIpc: boolean;
  launch: Launch;
  drain: DrainTimes;
  /** File descriptors of listening sockets that naught itself was given, in order. */
  listenFds: number[];
  /** The names of those sockets, in the same order, where the service manager told them. */
  listenNames?: string[];
  /**
   * The permissions of the socket at `ipcFile`: 384 (octal 600), or 432 (octal 660) with a group, unless it is said.
   * @type uint32
   * @maximum 438
   */
  ipcMode?: number;
  /**
   * The number of that socket's group.
   * @type uint32
   */
  ipcGroup?: number;
  /** `slots` unless it is said. */
  balance?: Balance;
}

/**
 * How connections are spread over the workers: `slots`, a queue in the kernel for each (where Node and the address
 * allow it, else `shared`); `shared`, one queue for all; `round-robin`, node:cluster's own way through the master.
 */
export type Balance = "slots" | "shared" | "round-robin";
