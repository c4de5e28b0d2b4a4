/** What clients ask of a daemon, and what it answers. */
import type { DrainChanges, LimitChanges } from "./launch.js";
import type {
  Counts,
  Delay,
  DeployInfo,
  LogInfo,
  ProcessInfo,
  ServingInfo,
  SlotInfo,
  SocketInfo,
  WaitingFor,
  WorkerInfo,
} from "./vocabulary.js";

/** How a start ended. */
export interface Started {
  /** `ready`: every worker is online. `failed`: one died first. `stopped`: a stop came first. */
  outcome: "ready" | "failed" | "stopped";
  counts: Counts;
  /** One line that says why, unless it is ready. */
  reason?: string;
  /** The last lines that the worker which failed wrote to its stderr. */
  stderr?: string[];
}

/** What a deploy changes; all that is left out stays as it is. */
export interface Deploy {
  /** An id of the client's choice; naught makes one up otherwise. */
  id?: string;
  /**
   * The new number of workers; 0 keeps the number.
   * @type uint32
   * @maximum 1024
   */
  workerCount?: number;
  /** Environment variables that are set anew; others keep their values. */
  env?: Record<string, string>;
  /** True: variables that are not in `env` are removed. */
  replaceEnv?: boolean;
  /**
   * Seconds until the deploy is aborted.
   * @minimum 0
   */
  timeout?: number;
  /** For the old workers. */
  drain?: DrainChanges;
  /** Absolute path. */
  cwd?: string;
  /** Absolute path. */
  script?: string;
  args?: string[];
  nodeArgs?: string[];
  /** For the new workers. */
  limits?: LimitChanges;
}

/** How a deploy ended. */
export interface Settled {
  /** The deploy's id. */
  deploy: string;
  /** `done`: the new workers serve and the old ones are gone. `failed`, `aborted`: the old ones serve on. */
  outcome: "done" | "failed" | "aborted";
  counts: Counts;
  /**
   * How many old workers had to be killed because a timeout or an abort came while they were leaving.
   * @type uint32
   */
  killed: number;
  /** One line that says why, when it failed. */
  reason?: string;
  /** The last lines that the worker which failed wrote to its stderr. */
  stderr?: string[];
}

/** Names a deploy. */
export interface DeployRef {
  deploy: string;
}

/** Which deploy to abort. */
export interface AbortDeploy {
  /** Only this one: another one that is in flight goes on. */
  deploy?: string;
}

/** How to stop. */
export interface Stop {
  /**
   * Seconds until the workers that are left are killed; without it they are waited for.
   * @minimum 0
   */
  timeout?: number;
  drain?: DrainChanges;
}

/** Says what state the server is in. */
export interface Status {
  /** `online` at rest, also while a crashed worker is being replaced. */
  phase: "booting" | "online" | "deploying" | "stopping";
  counts: Counts;
  waitingFor: WaitingFor;
  workers: WorkerInfo[];
  /** The id of the deploy in flight. */
  deploy?: string;
  /** More about that deploy. */
  deploying?: DeployInfo;
  /** Slots that are empty for a moment, because their workers failed again and again. */
  delays?: Delay[];
  /** The places for workers, each with its failures. */
  slots?: SlotInfo[];
  /** What serves; none before the first worker generation has taken over. */
  serving?: ServingInfo;
  /** What the server listens on; without those that are node:cluster's own. */
  sockets?: SocketInfo[];
  /** The files that naught logs to. */
  logs?: LogInfo[];
  daemon?: ProcessInfo;
  /** None while it is being started again. */
  master?: ProcessInfo;
  versions?: Versions;
  /**
   * Seconds since the daemon was started.
   * @minimum 0
   */
  uptime?: number;
}

/** Which software runs. */
export interface Versions {
  naught: string;
  /**
   * Of this protocol.
   * @type uint32
   */
  protocol: number;
  /** Of the Node that runs the daemon, the master and the workers. */
  node: string;
}

/** Says who answers. */
export interface Hello {
  /** The daemon's version of naught. */
  version: string;
  /**
   * The version of this protocol; it is raised when a client has to know.
   * @type uint32
   */
  protocol: number;
  /**
   * The daemon's process id.
   * @type uint32
   */
  pid: number;
  /**
   * The master's process id; none while there is no master.
   * @type uint32
   */
  master?: number;
  /**
   * Seconds since the daemon was started.
   * @minimum 0
   */
  uptime?: number;
  /** The methods that are served here. */
  methods?: string[];
  /** What else this daemon can do, by the names in the section Versions. */
  features?: string[];
  /** The same for every process on this machine until its next boot, and different on any other. */
  hostId?: string;
  /** This daemon's life: another one counts its events from 1 again. */
  run?: string;
}

/** Which events are wanted. */
export interface Watch {
  /**
   * The sequence number of the last event that the client has: it is sent those after it first.
   * @type uint32
   */
  since?: number;
  /** The `run` in which it got that number. */
  run?: string;
}

/** From where on events are sent. */
export interface Watched {
  /** The daemon's life, as in `hello`. */
  run?: string;
  /**
   * The number of the last event so far: the next one has the number after it.
   * @type uint32
   */
  sequence?: number;
  /**
   * How many events after `since` the daemon does not have any more; they are lost.
   * @type uint32
   */
  missed?: number;
  /** True: `since` is a number of another daemon's life, of which nothing is known; all events of this one were sent. */
  restarted?: boolean;
}

/** Which log is read, and from where on. Without `cursor`, `lines` and `since`, from its beginning. */
export interface ReadLogs {
  /** `stdout` unless it is said. */
  log?: "stdout" | "stderr" | "naught";
  /** Where an earlier page ended. */
  cursor?: string;
  /**
   * So many lines before the end.
   * @type uint32
   * @maximum 1000000
   */
  lines?: number;
  /**
   * The oldest archive that may have lines of this time or later; all of that one is read.
   * @format date-time
   */
  since?: string;
  /**
   * Seconds for which something new is waited for at the end.
   * @minimum 0
   * @maximum 60
   */
  wait?: number;
  /**
   * The most bytes that a page may have; 65536 unless it is said.
   * @type uint32
   * @minimum 1024
   * @maximum 1048576
   */
  size?: number;
}

/** A piece of a log and its archives, which are read as one: whole lines, but for lines that are longer than a page. */
export interface LogsPage {
  /** The log's path; none where there is no file. */
  path?: string;
  text?: string;
  /** In the place of `text` when that is not UTF-8. */
  base64?: string;
  /** Where the next page begins. */
  cursor: string;
  /** True: nothing more has been written so far. */
  end: boolean;
  /** True: nothing more will be. */
  over?: boolean;
}

/** The workers that a call in flight is waiting for; said every 5 seconds. */
export interface Waiting {
  workers: WorkerInfo[];
}

/** Something the caller of one call should know at once, before the result. */
export interface Notice {
  name: "AlreadyShuttingDown";
}
