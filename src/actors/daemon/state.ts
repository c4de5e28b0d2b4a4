/** The daemon's state, what can happen to it, and what it asks to be done. Plain data only. */
import type { ErrorName } from "../../protocol/errors.js";
import type {
  Counts,
  Deploy,
  DrainChanges,
  DrainTimes,
  LastDeath,
  Launch,
  MasterDeploy,
  MasterSettled,
  MasterStart,
  MasterStarted,
  NaughtEvent,
  PoolChange,
  PoolEvent,
  ResolvedLaunch,
  Serving,
  Settled,
  Start,
  Started,
  Status,
  Stop,
  Waiting,
  WaitingFor,
  Watched,
  WorkerInfo,
  WorkerRef,
  WorkerStatus,
} from "../../protocol/types.js";
import type { Memory } from "./memory.js";

/** 0 is nobody's: a signal's. */
export type CallId = number;

/** For what the daemon asks the master of its own accord; its answers are of no interest. */
export const ownCall: CallId = -1;

/** A connection; 0 is nobody: a signal. */
export type ClientId = number;

/** An error as plain data. */
export interface Refusal {
  readonly error: ErrorName;
  readonly message?: string;
  readonly data?: unknown;
}

/** A call that the master has been asked to answer. */
export interface Forwarded {
  readonly client: ClientId;
  readonly kind: "start" | "status" | "deploy" | "attachDeploy" | "abortDeploy";
  /** The deploy's id, where it is known. */
  readonly deploy: string;
  /** True: the master was not asked; the call is answered with an `attachDeploy` that it was asked for. */
  readonly joins?: boolean;
  /** True: others may join it. */
  readonly attaches?: boolean;
}

/** The pool as the master told it last, and when each part was told, in milliseconds of a monotonic clock. */
export interface PoolView {
  readonly head: Omit<Status, "counts" | "workers">;
  readonly at: number;
  readonly workers: ReadonlyMap<number, { readonly worker: WorkerInfo; readonly at: number }>;
  readonly counts: Counts;
}

/** A worker of the present master, as its events tell. */
export interface KnownWorker {
  readonly worker: WorkerRef;
  readonly status: WorkerStatus;
}

/** A worker whose master has died. */
export interface Stray {
  readonly worker: WorkerRef;
  readonly status: WorkerStatus;
  /** In ISO 8601. */
  readonly since: string;
  /** How it was told to go; null while it serves. */
  readonly told: DrainTimes | null;
  /** SIGKILL is on its way. */
  readonly killed: boolean;
}

/** A worker's connection to the daemon. */
export interface HeldLifeline {
  /** Its call, whose answer sends it away; null when it was answered. */
  readonly call: CallId | null;
  readonly worker: WorkerRef;
  readonly master: number;
}

export interface Daemon {
  /** `opening`: files are being opened. `stopping`: the master has been told, or is gone. `closing`: files are being closed. */
  readonly life: "empty" | "opening" | "running" | "stopping" | "closing" | "gone";
  readonly start: Start | null;
  readonly startCall: { readonly call: CallId; readonly client: ClientId } | null;
  /** How the start ended, kept until everything is closed again when it failed. */
  readonly startFailure: { readonly result: Answer } | { readonly refusal: Refusal } | null;
  readonly master: "none" | "alive";
  /** How often the master died lately. */
  readonly masterDeaths: number;
  /** What the master has told of its pool. */
  readonly pool: PoolView | null;
  /** How many events of the present master have been dealt with. */
  readonly heard: number;
  /** How many masters there have been: the number of the present one. */
  readonly masters: number;
  /** The present master's workers have all been online at once: no stray is needed. */
  readonly isWhole: boolean;
  /** A stop is not over yet: a worker of which a dead master has not told may still find its way here. */
  readonly isListening: boolean;
  /** The workers of the present master, by id. */
  readonly workers: ReadonlyMap<number, KnownWorker>;
  /** The workers that earlier masters have left behind, by process id. */
  readonly strays: ReadonlyMap<number, Stray>;
  readonly lifelines: ReadonlyMap<ClientId, HeldLifeline>;
  /** The highest number of a worker of which the present master has told. */
  readonly newestWorker: number;
  /** The highest numbers that were given: none is given twice. */
  readonly lastWorker: number;
  readonly lastGeneration: number;
  readonly serving: Serving | null;
  /** When that generation took over, in ISO 8601. */
  readonly servingSince: string | null;
  /** Deploys whose paths are being resolved. */
  readonly resolving: ReadonlyMap<CallId, { readonly client: ClientId; readonly deploy: Deploy }>;
  readonly forwarded: ReadonlyMap<CallId, Forwarded>;
  /** How the first stop wants workers to go. */
  readonly stopDrain: DrainChanges;
  /** When the workers that are left then are killed, as far as the master was told, in milliseconds of a monotonic clock. */
  readonly stopDue: number | null;
  readonly stoppers: readonly { readonly call: CallId; readonly client: ClientId }[];
  readonly watchers: ReadonlySet<ClientId>;
  /** As the master told them last: without the strays. */
  readonly counts: Counts;
  readonly waitingFor: WaitingFor;
  readonly sequence: number;
  /** The last events, for clients that come back. */
  readonly events: Memory;
  /** The last death in each slot that has seen one. */
  readonly deaths: readonly LastDeath[];
  /** How the last deploys ended, the latest last, for clients that ask again. */
  readonly settled: readonly MasterSettled[];
}

/** What the master answers; the performer replaces `failed` by reason and stderr. */
export type Answer =
  | MasterStarted
  | MasterSettled
  | Status
  | Started
  | Settled
  | Watched
  | DrainTimes
  | Record<string, never>;

export type Message =
  | { readonly type: "start"; readonly call: CallId; readonly client: ClientId; readonly start: Start }
  | { readonly type: "deploy"; readonly call: CallId; readonly client: ClientId; readonly deploy: Deploy }
  | { readonly type: "attachDeploy"; readonly call: CallId; readonly client: ClientId; readonly id: string }
  | {
      readonly type: "abortDeploy";
      readonly call: CallId;
      readonly client: ClientId;
      /** Only this one. */
      readonly id?: string;
    }
  /** Its caller is not interested in the call any more. */
  | { readonly type: "cancel"; readonly call: CallId }
  /** `at` in milliseconds of a monotonic clock; without it the master is asked. */
  | { readonly type: "status"; readonly call: CallId; readonly client: ClientId; readonly at?: number }
  | { readonly type: "stop"; readonly call: CallId; readonly client: ClientId; readonly stop: Stop }
  | {
      readonly type: "watch";
      readonly call: CallId;
      readonly client: ClientId;
      /** The last event that the client has. */
      readonly since?: number;
      /** True: it has that from an earlier daemon. */
      readonly restarted?: boolean;
    }
  | { readonly type: "clientGone"; readonly client: ClientId }
  /** A worker's connection: it says who it is, and which master it belongs to. */
  | {
      readonly type: "lifeline";
      readonly call: CallId;
      readonly client: ClientId;
      readonly worker: WorkerRef;
      readonly master: number;
    }
  /** The process of a worker that had lost its master is gone. */
  | { readonly type: "strayGone"; readonly pid: number }
  /** Its time to leave is over. `force`: also if it may take as long as it likes. */
  | { readonly type: "strayLate"; readonly pid: number; readonly force: boolean }
  /** The files are open and the first launch is resolved. */
  | { readonly type: "opened"; readonly launch: ResolvedLaunch }
  | { readonly type: "openFailed"; readonly refusal: Refusal }
  | { readonly type: "resolved"; readonly call: CallId; readonly launch: ResolvedLaunch }
  | { readonly type: "unresolved"; readonly call: CallId; readonly refusal: Refusal }
  | { readonly type: "masterAnswered"; readonly call: CallId; readonly result: Answer }
  | { readonly type: "masterRefused"; readonly call: CallId; readonly refusal: Refusal }
  | { readonly type: "masterEvent"; readonly event: PoolEvent }
  | { readonly type: "masterChanged"; readonly change: PoolChange; readonly at: number }
  | { readonly type: "masterServing"; readonly serving: Serving }
  | { readonly type: "masterWaiting"; readonly waiting: Waiting }
  | { readonly type: "masterExited"; readonly how: string }
  /** It is time to try a master again, or to forget that one died. */
  | { readonly type: "reviveMaster" }
  | { readonly type: "masterSteady"; readonly deaths: number }
  /** Another daemon has died, and this is what it left. */
  | {
      readonly type: "inherited";
      readonly parts: Readonly<Record<string, string>>;
      readonly events: readonly NaughtEvent[];
      /** False: it is dead, too. */
      readonly hasMaster: boolean;
    }
  /** Whether the present master has told of this worker by now; `looks` before. */
  | { readonly type: "lifelineLook"; readonly client: ClientId; readonly looks: number }
  /** Whoever has a lifeline had the time to find this daemon. */
  | { readonly type: "listened" }
  /** It is time to say whom a stop waits for. */
  | { readonly type: "strayWaiting" }
  | { readonly type: "closed" };

export type Effect =
  | { readonly type: "open"; readonly start: Start }
  | { readonly type: "resolve"; readonly call: CallId; readonly launch: Launch }
  | {
      readonly type: "startMaster";
      readonly call: CallId;
      readonly start: Omit<MasterStart, "preload" | "listenFds" | "listenNames" | "lifeline">;
      /** Its number. */
      readonly master: number;
    }
  /** Tell when this process, which is no child of ours, is gone; SIGKILL it. */
  | { readonly type: "watchProcess"; readonly pid: number; readonly worker: WorkerRef }
  | { readonly type: "killProcess"; readonly pid: number }
  /** A worker accepts no connections any more. */
  | { readonly type: "forgetWorker"; readonly worker: WorkerRef }
  | { readonly type: "askMaster"; readonly call: CallId; readonly ask: MasterAsk }
  | { readonly type: "reply"; readonly call: CallId; readonly result: Answer }
  | { readonly type: "refuse"; readonly call: CallId; readonly refusal: Refusal }
  | { readonly type: "event"; readonly clients: readonly ClientId[]; readonly event: NaughtEvent }
  /** What a client has missed. */
  | { readonly type: "replay"; readonly client: ClientId; readonly events: readonly NaughtEvent[] }
  | { readonly type: "tellWaiting"; readonly clients: readonly ClientId[]; readonly waiting: Waiting }
  | { readonly type: "notice"; readonly client: ClientId; readonly name: "AlreadyShuttingDown" }
  /** `event`: what the line tells of; an event may have more lines, for whoever is not given the event itself. */
  | { readonly type: "log"; readonly line: string; readonly event?: NaughtEvent | "more" }
  | { readonly type: "later"; readonly seconds: number; readonly message: Message }
  /** Write what is left, remove the files, let go of the lock. */
  | { readonly type: "close" }
  | { readonly type: "end"; readonly exitCode: number };

export type MasterAsk =
  | { readonly method: "deploy"; readonly params: MasterDeploy }
  | { readonly method: "attachDeploy"; readonly params: { readonly deploy: string } }
  | { readonly method: "abortDeploy"; readonly params: { readonly deploy?: string } }
  | { readonly method: "status"; readonly params: Record<string, never> }
  | { readonly method: "stop"; readonly params: Stop };
