/** The pool's state, what can happen to it, and what it asks to be done. Plain data only. */
import type { ErrorName } from "../../../protocol/errors.js";
import type {
  DrainChanges,
  DrainTimes,
  EventName,
  Limits,
  MasterSettled,
  MasterStarted,
  PoolEvent,
  ResolvedLaunch,
  Status,
  WorkerInfo,
  WorkerRef,
  WorkerStatus,
} from "../../../protocol/types.js";

/** Names a call that is answered exactly once, by a `reply` or a `refuse`. */
export type CallId = number;

/** A worker as the pool sees it; its pid is the performer's business. */
export type PoolWorker = Readonly<Omit<WorkerRef, "pid">> & {
  readonly status: WorkerStatus;
  /** When it got this status, in milliseconds of the clock that stamps the messages; `new_online` and `online` are one. */
  readonly since: number;
  /** When it was forked, by the same clock. */
  readonly born: number;
  /** What the event of its exit will be called; null while nobody has asked it to go. */
  readonly leaves: EventName | null;
  /** Seconds that it has from when the application was told to go; without it, it is waited for. */
  readonly patience?: number;
  /** SIGKILL is on its way. */
  readonly killed: boolean;
  readonly limits: Limits;
  /** Its application has got `shutdown`. */
  readonly told: boolean;
  /** Seconds for which it has not answered. */
  readonly silence: number;
  /** A debugger may stop it. */
  readonly inspected: boolean;
  /** It is retired because it hangs: why, in words. */
  readonly hangs: string | null;
};

/** What one boot or deploy makes. */
export interface Generation {
  readonly number: number;
  readonly workerCount: number;
  readonly launch: ResolvedLaunch;
}

/** The way from one generation to the next; the boot is the one from nothing to the first. */
export interface Rollout {
  readonly name: "rollout";
  readonly kind: "boot" | "deploy";
  /** The deploy's id; "" for the boot. */
  readonly id: string;
  readonly coming: Generation;
  /** `booting`: new workers are waited for. `destroying`: they are killed again. `leaving`: the new ones serve, old ones go. */
  readonly stage: "booting" | "destroying" | "leaving";
  readonly callers: readonly CallId[];
  readonly aborters: readonly CallId[];
  /** Why it is being destroyed. */
  readonly failure: {
    readonly aborted: boolean;
    readonly reason: string;
    readonly worker?: PoolWorker;
  } | null;
  /** How many old workers had to be killed. */
  readonly killed: number;
  /** What this deploy changes for the old workers. */
  readonly drain?: DrainChanges;
  /** When it began, in milliseconds of the clock that stamps the messages. */
  readonly since: number;
}

export type Phase =
  | { readonly name: "empty" }
  | Rollout
  | { readonly name: "rest" }
  | { readonly name: "stop"; readonly callers: readonly CallId[]; readonly deadline: number | null }
  | { readonly name: "gone" };

/** How often a slot's worker has failed lately, and whether its replacement is being held back. */
export interface Backoff {
  readonly failures: number;
  readonly waiting: boolean;
}

export interface Pool {
  readonly phase: Phase;
  /** The generation that has taken over. */
  readonly serving: Generation | null;
  readonly workers: readonly PoolWorker[];
  /** How workers that go are given time. */
  readonly times: DrainTimes;
  readonly backoff: ReadonlyMap<number, Backoff>;
  /** By slot: how often its worker was lost since its generation took over. */
  readonly restarts: ReadonlyMap<number, number>;
  /** When the workers will next be asked how they are, by the clock that stamps the messages; null while nobody is. */
  readonly checkDue: number | null;
  /** When they were last asked, and how many seconds that should have been after the time before. */
  readonly checkedAt: number;
  readonly checkLasted: number;
  /** A worker that uses too much memory, and the one that is to take its place. */
  readonly relief: Relief | null;
  /** When the last such began or ended. */
  readonly relievedAt: number;
  readonly nextWorker: number;
  readonly nextGeneration: number;
  readonly lastDeploy: (Omit<MasterSettled, "failed"> & { readonly failed?: Failure }) | null;
}

export interface Relief {
  readonly old: number;
  readonly fresh: number;
  readonly why: string;
}

/** `Failed` of the protocol without the pid. */
export interface Failure {
  readonly reason: string;
  readonly worker?: PoolWorker;
}

/** Each timer has a name of its own, so that one which fires late is recognised as stale. */
export type Timer =
  | { readonly kind: "deploy"; readonly generation: number }
  | { readonly kind: "stop" }
  | { readonly kind: "patience"; readonly worker: number }
  | { readonly kind: "waiting" }
  | { readonly kind: "check" }
  | { readonly kind: "slot"; readonly slot: number; readonly failures: number }
  | { readonly kind: "steady"; readonly worker: number };

/** What can happen: requests, each with the id of its call, and facts about workers and time. */
export type Message =
  | {
      readonly type: "start";
      readonly call: CallId;
      readonly launch: ResolvedLaunch;
      readonly workerCount: number;
      readonly generation: number;
      readonly resume: boolean;
      readonly drain?: DrainTimes;
      /** What earlier masters have left over of the numbers. */
      readonly nextWorker?: number;
      readonly nextGeneration?: number;
    }
  | {
      readonly type: "deploy";
      readonly call: CallId;
      readonly id: string;
      readonly launch: ResolvedLaunch;
      /** 0 keeps the number. */
      readonly workerCount: number;
      /** In seconds. */
      readonly timeout: number | null;
      readonly drain?: DrainChanges;
    }
  | { readonly type: "attachDeploy"; readonly call: CallId; readonly id: string }
  | { readonly type: "abortDeploy"; readonly call: CallId; readonly id?: string }
  | {
      readonly type: "stop";
      readonly call: CallId;
      readonly timeout: number | null;
      readonly drain?: DrainChanges;
    }
  | { readonly type: "status"; readonly call: CallId }
  | { readonly type: "online"; readonly worker: number; readonly inspected?: boolean }
  | { readonly type: "offline"; readonly worker: number }
  /** Its application has got `shutdown`. */
  | { readonly type: "told"; readonly worker: number }
  /** It has answered. */
  | {
      readonly type: "pulse";
      readonly worker: number;
      readonly memory: number;
      readonly inspected: boolean;
    }
  /** It has still not answered: `share` of the time since it was last asked counts, and `doing` says what it does. */
  | { readonly type: "silent"; readonly worker: number; readonly share: number; readonly doing: string }
  /** `how` as in "exited with code 1". */
  | { readonly type: "exit"; readonly worker: number; readonly how: string }
  | { readonly type: "timer"; readonly timer: Timer };

/** A status without what only the performer knows: pids, and when the timers of delays are due. */
export type PoolStatus = Omit<Status, "workers" | "delays" | "slots"> & {
  readonly workers: readonly Omit<WorkerInfo, "pid">[];
  readonly delays: readonly { readonly slot: number; readonly failures: number }[];
  readonly slots: readonly { readonly slot: number; readonly restarts: number; readonly failures: number }[];
};

/** Results with workers named as the pool knows them; the performer adds the pids. */
export type Result =
  | (Omit<MasterStarted, "failed"> & { readonly failed?: Failure })
  | (Omit<MasterSettled, "failed"> & { readonly failed?: Failure })
  | PoolStatus
  | Record<string, never>;

export type Effect =
  | { readonly type: "fork"; readonly worker: PoolWorker; readonly launch: ResolvedLaunch }
  /** Drain it, then tell the application. */
  | { readonly type: "shutdown"; readonly worker: number; readonly times: DrainTimes }
  | { readonly type: "kill"; readonly worker: number }
  /** Ask how it is. `amends`: that it has not answered before counts for nothing. */
  | { readonly type: "ping"; readonly worker: number; readonly amends: boolean }
  | { readonly type: "emit"; readonly event: Omit<PoolEvent, "worker">; readonly worker: PoolWorker | null }
  | { readonly type: "reply"; readonly call: CallId; readonly result: Result }
  | { readonly type: "refuse"; readonly call: CallId; readonly error: ErrorName; readonly data?: object }
  | { readonly type: "setTimer"; readonly timer: Timer; readonly seconds: number; readonly jitter: boolean }
  | { readonly type: "clearTimer"; readonly timer: Timer }
  /** A generation took over. */
  | { readonly type: "serving"; readonly generation: Generation; readonly deploy: string }
  | { readonly type: "waiting"; readonly workers: readonly Omit<WorkerInfo, "pid">[] }
  /** The last worker is gone for good. */
  | { readonly type: "end" };
