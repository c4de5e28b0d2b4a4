/**
 * The vocabulary: every shape that crosses a border between two of naught's processes, or between naught
 * and a client. Types only. Fields are only ever added, and unknown ones are tolerated, because a new client
 * meets an old daemon at every upgrade.
 */

/**
 * What a worker is doing: `booting` until it says `online`; `new_online` from then on until its generation has
 * taken over; `online` while it serves; `dying` once it was asked to go, or is being killed.
 */
export type WorkerStatus = "booting" | "online" | "new_online" | "dying";

/** How many workers there are of each status. Killed workers are `dying` until they are gone. */
export interface Counts {
  /** @type uint32 */
  booting: number;
  /** @type uint32 */
  online: number;
  /** @type uint32 */
  dying: number;
  /** @type uint32 */
  new_online: number;
}

/** What a deploy or stop in flight is waiting for: new workers to boot, old ones to leave, all to leave, nothing. */
export type WaitingFor = "new" | "old" | "shutdown" | null;

/** What happened, in the words that the log and the command line print. */
export type EventName =
  /** The master is up; no worker has been forked yet. */
  | "Bootup"
  /** A worker was forked: one more is booting. */
  | "SpawnNew"
  /** A worker of the coming generation came online; it does not count as serving until all of them are. */
  | "NewOnline"
  /** A worker of the coming generation died before that generation took over. */
  | "NewDeath"
  /** A worker that is no longer needed was asked to leave. */
  | "ShutdownOld"
  /** A worker that was asked to leave is gone. */
  | "OldExit"
  /** Rest: every slot has its worker online, and nothing is in flight. */
  | "Ready"
  /** A serving worker said `offline`; a replacement is on its way. */
  | "WorkerOffline"
  /** A serving worker, or a replacement, is gone without having been asked. */
  | "WorkerDeath"
  /** A replacement is online. */
  | "WorkerOnline"
  /** A worker of the coming generation is being killed, because its deploy failed, was aborted or ran out of time. */
  | "DestroyNew"
  /** A worker that was killed so is gone. */
  | "NewDestroyed"
  /** A worker that was leaving is being killed, because of a timeout or an abort. */
  | "DestroyOld"
  /** The time that a deploy or stop was given is over. */
  | "Timeout"
  /** A deploy ended without taking over; the workers from before it serve on. */
  | "DeployFailed"
  /** Somebody asked for the status; the counts are its answer. */
  | "Status"
  /** The master is gone, and with it every worker: all counts are 0. */
  | "Shutdown";

/** Names one worker. */
export interface WorkerRef {
  /**
   * Unique for as long as one master lives.
   * @type uint32
   */
  id: number;
  /**
   * The worker's number from 0, which is `NAUGHT_WORKER` in its environment; stable across crashes and deploys.
   * @type uint32
   */
  slot: number;
  /**
   * The process id; 0 when the process could not be started.
   * @type uint32
   */
  pid: number;
  /**
   * Counts the boot (1) and every deploy after it.
   * @type uint32
   */
  generation: number;
}

/** A worker as `status` tells it. */
export interface WorkerInfo extends WorkerRef {
  status: WorkerStatus;
  /**
   * Seconds in this status.
   * @minimum 0
   */
  seconds: number;
  /**
   * Since when it is in this status, in UTC. Only in `status`.
   * @format date-time
   */
  since?: string;
  /**
   * How often this slot's worker has died or declared itself offline since its generation took over. Only in `status`.
   * @type uint32
   */
  restarts?: number;
  /** What the process costs; null where that is not known (yet). Only in `status`. */
  usage?: Usage | null;
}

/** What a process costs, looked up every 5 seconds. */
export interface Usage {
  /**
   * Resident memory in bytes.
   * @type uint64
   */
  memory: number;
  /**
   * Processor time in the 5 seconds before, in percent of one processor; null before the second look.
   * @minimum 0
   */
  cpu: number | null;
  /**
   * Seconds since it was looked up.
   * @minimum 0
   */
  age: number;
}

/** A slot whose worker has failed again and again, and which stays empty for a moment. */
export interface Delay {
  /** @type uint32 */
  slot: number;
  /**
   * How many workers in a row have failed.
   * @type uint32
   */
  failures: number;
  /**
   * Seconds until the next try.
   * @minimum 0
   */
  seconds: number;
  /**
   * When that is, in UTC.
   * @format date-time
   */
  until?: string;
}

/** A deploy in flight. */
export interface DeployInfo {
  id: string;
  /**
   * Seconds since it began.
   * @minimum 0
   */
  seconds: number;
  /**
   * When it began, in UTC.
   * @format date-time
   */
  since?: string;
  /** `booting`: new workers are waited for. `destroying`: they are killed again. `leaving`: the new ones serve, old ones go. */
  stage: "booting" | "destroying" | "leaving";
  /**
   * How many calls wait for it.
   * @type uint32
   */
  callers?: number;
}

/** The generation that serves, and what its workers were started with. */
export interface ServingInfo {
  /** @type uint32 */
  generation: number;
  /** @type uint32 */
  workerCount: number;
  /**
   * When it took over, in UTC.
   * @format date-time
   */
  since: string;
  /** As it was asked for. */
  script: string;
  /** Where its links led to. */
  realScript: string;
  args: string[];
  nodeArgs: string[];
  cwd: string;
  realCwd: string;
  /** The names of its environment variables; their values are never told. */
  env: string[];
}

/** A listening socket of the server. */
export interface SocketInfo {
  /** An IP address, or the path of a unix socket. */
  address: string;
  /**
   * None for a unix socket.
   * @type uint32
   */
  port?: number;
  /** True for a socket that naught itself was given. */
  inherited: boolean;
  /** Its queues of connections. */
  queues: QueueInfo[];
}

/** One queue of connections, and the workers that accept from it. */
export interface QueueInfo {
  key: string;
  workers: WorkerRef[];
}

/** One of naught's own processes. */
export interface ProcessInfo {
  /** @type uint32 */
  pid: number;
  usage: Usage | null;
}

/** One thing that happened in the pool of workers, with the counts as of that moment. */
export interface PoolEvent {
  name: EventName;
  counts: Counts;
  waitingFor: WaitingFor;
  /** The worker it happened to, where it is about one. */
  worker?: WorkerRef;
  /** Why, where there is something to say: an exit code, a signal, a back-off. */
  detail?: string;
}

/** A pool event as a client gets it. */
export interface NaughtEvent extends PoolEvent {
  /**
   * Counts from 1 for as long as the daemon lives, without gaps.
   * @type uint32
   */
  sequence: number;
  /**
   * When, in UTC.
   * @format date-time
   */
  time: string;
}

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
}

/** Everything a daemon is born with; sent once, by the process that started it. */
export interface Start {
  ipcFile: string;
  pidFile: string;
  logs: LogFiles;
  /**
   * @type uint32
   * @minimum 1
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
  /** `slots` unless it is said. */
  balance?: Balance;
}

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
  /** What serves; none before the first worker generation has taken over. */
  serving?: ServingInfo;
  /** What the server listens on; without those that are node:cluster's own. */
  sockets?: SocketInfo[];
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

/** The workers that a call in flight is waiting for; said every 5 seconds. */
export interface Waiting {
  workers: WorkerInfo[];
}

/** Something the caller of one call should know at once, before the result. */
export interface Notice {
  name: "AlreadyShuttingDown";
}

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
  /** True: the workers' output goes to the daemon; false: nowhere. */
  output: { stdout: boolean; stderr: boolean };
  /** Descriptors, in the master, of the listening sockets that naught was given. */
  listenFds: number[];
  /** The names of those sockets; empty where nobody told them. */
  listenNames: string[];
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
}

/** Whose output the pipe that comes with this message carries. */
export interface Output {
  worker: WorkerRef;
  stream: "stdout" | "stderr";
}

/**
 * How connections are spread over the workers: `slots`, a queue in the kernel for each (where Node and the address
 * allow it, else `shared`); `shared`, one queue for all; `round-robin`, node:cluster's own way through the master.
 */
export type Balance = "slots" | "shared" | "round-robin";

/** What a server in a worker wants to listen on, as Node's own cluster module would ask its primary. */
export interface Listen {
  /** An IP address, the path of a unix socket, or null for any address. */
  address: string | null;
  /** -1 for a unix socket; null with `fd`. */
  port: number | null;
  /** 4 or 6; -1 for a unix socket; null with `fd`. */
  addressType: number | null;
  /** The number, in the worker, of a socket that naught was given. */
  fd?: number;
  /** libuv's flags for binding: 1 is IPv6 only. */
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
  /** The address that was tried in vain, where the server named none. */
  address?: string;
  /** What the TLS servers of this generation on this address seal their sessions with, in base64. */
  ticketKeys?: string;
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

/** No parameters, or nothing to say. */
// biome-ignore lint/complexity/noBannedTypes: typia and JSON Schema read it as "any object", which is what is meant
export type Empty = {};
