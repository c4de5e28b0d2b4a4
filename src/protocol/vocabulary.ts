/** What the state of a naught is told in: workers, their counts and statuses, events, and what stands behind them. */
import type { Limits } from "./launch.js";

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
  /** A serving worker said `offline`, or hangs; a replacement is on its way. */
  | "WorkerOffline"
  /** A serving worker, or a replacement, is gone without having been asked. */
  | "WorkerDeath"
  /** A replacement is online. */
  | "WorkerOnline"
  /** A worker of the coming generation is being killed, because its deploy failed, was aborted or ran out of time. */
  | "DestroyNew"
  /** A worker that was killed so is gone. */
  | "NewDestroyed"
  /** A worker that was leaving is being killed: a timeout or an abort came, or it hangs. */
  | "DestroyOld"
  /** The time that a deploy or stop was given is over. */
  | "Timeout"
  /** A deploy ended without taking over; the workers from before it serve on. */
  | "DeployFailed"
  /** A new daemon has taken over from one that died. */
  | "Recovered"
  /** Somebody asked for the status; the counts are its answer. */
  | "Status"
  /** The master is gone, and with it every worker: all counts are 0. */
  | "Shutdown";

/** Names one worker. */
export interface WorkerRef {
  /**
   * Unique for as long as the server lives.
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
  /** True for a worker whose master has died: it serves until there are new workers in its place. Only in `status`. */
  stray?: boolean;
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

/** How a worker ended that was not to end. */
export interface Death {
  /** As in "exited with code 1" or "was killed by SIGSEGV". */
  reason: string;
  /**
   * Seconds that it had lived.
   * @minimum 0
   */
  seconds: number;
  /** The last lines that it wrote to its stderr. */
  stderr?: string[];
}

/** A death, with whose and when. */
export interface LastDeath extends Death {
  worker: WorkerRef;
  /**
   * In UTC.
   * @format date-time
   */
  time: string;
}

/** One of the server's numbered places for a worker, and what has gone wrong there. */
export interface SlotInfo {
  /** @type uint32 */
  slot: number;
  /**
   * How often its worker was lost since its generation took over: died, declared itself offline, hung, used too much memory.
   * @type uint32
   */
  restarts: number;
  /**
   * How many of its workers in a row have failed; a minute online makes good for them.
   * @type uint32
   */
  failures: number;
  /**
   * While it is held back: seconds until the next try.
   * @minimum 0
   */
  seconds?: number;
  /**
   * When that is, in UTC.
   * @format date-time
   */
  until?: string;
  /** The last death of one of its workers, of whatever generation. */
  lastDeath?: LastDeath;
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
  limits?: Limits;
}

/** A listening socket of the server, or one of datagrams. */
export interface SocketInfo {
  /** An IP address, or the path of a unix socket. */
  address: string;
  /**
   * None for a unix socket.
   * @type uint32
   */
  port?: number;
  /** True for a socket of datagrams. */
  datagram?: boolean;
  /** True for a socket that naught itself was given. */
  inherited: boolean;
  /** Its queues of connections; one of datagrams has only one. */
  queues: QueueInfo[];
}

/** One queue of connections, and the workers that accept from it. */
export interface QueueInfo {
  key: string;
  workers: WorkerRef[];
}

/** One of the files that naught logs to. */
export interface LogInfo {
  path: string;
  /**
   * How many bytes could not be written since the daemon was started.
   * @type uint64
   */
  lost: number;
  /** What is wrong with it now. */
  trouble?: string;
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
  /** How the worker ended, where that was not asked for. */
  death?: Death;
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
