/** The pool: which workers there should be, and what has to be done about those there are. Pure; DESIGN: the master. */
import { check, forgetRelief, hearPulse, hearSilence, replaceUnwell, scheduleCheck } from "./health.js";
import {
  beginRollout,
  destroyOld,
  failRollout,
  findBooting,
  settleRollout,
  takeOverWhenReady,
} from "./rollout.js";
import {
  announceReady,
  endDelay,
  fillSlots,
  forgiveSlot,
  noteFailure,
  noteLoss,
  watchSteadiness,
} from "./slots.js";
import type { CallId, Effect, Message, Pool, PoolWorker, Timer } from "./state.js";
import { findAwaited, tellStatus, tellWaiting } from "./status.js";
import { expireStop, settleStop, stop } from "./stop.js";
import {
  clearTimer,
  countWorkers,
  destroy,
  emit,
  emitDeath,
  enter,
  findWorker,
  note,
  remove,
  retire,
  setStatus,
  setTimer,
  type Turn,
} from "./turn.js";

/** A worker that says `offline` sooner than this (ms) after `online` counts as failed, or an app that always does would spin. */
const shortLife = 1000;

export const emptyPool: Pool = {
  phase: { name: "empty" },
  serving: null,
  workers: [],
  backoff: new Map(),
  restarts: new Map(),
  times: { grace: 0, timeout: 0 },
  checkDue: null,
  checkedAt: 0,
  checkLasted: 0,
  relief: null,
  relievedAt: Number.NEGATIVE_INFINITY,
  nextWorker: 1,
  nextGeneration: 1,
  lastDeploy: null,
};

/** `now` in milliseconds of a monotonic clock. */
export function step(pool: Pool, message: Message, now: number): { pool: Pool; effects: readonly Effect[] } {
  const turn: Turn = { pool, effects: [], now };
  handle(turn, message);
  fillSlots(turn);
  scheduleCheck(turn);
  return { pool: turn.pool, effects: turn.effects };
}

function handle(turn: Turn, message: Message): void {
  switch (message.type) {
    case "start":
      return start(turn, message);
    case "deploy":
      return deploy(turn, message);
    case "attachDeploy":
      return attachDeploy(turn, message.call, message.id);
    case "abortDeploy":
      return abortDeploy(turn, message);
    case "stop":
      return stop(turn, message);
    case "status":
      return tellStatus(turn, message.call);
    case "timer":
      return expire(turn, message.timer);
  }
  // A fact about a worker that is gone is old news.
  const worker = findWorker(turn, message.worker);
  if (!worker) return;
  switch (message.type) {
    case "online":
      return welcome(turn, message.inspected ? note(turn, worker, { inspected: true }) : worker);
    case "offline":
      return dismiss(turn, worker);
    case "told":
      note(turn, worker, { told: true });
      if (worker.patience !== undefined)
        setTimer(turn, { kind: "patience", worker: worker.id }, worker.patience);
      return;
    case "pulse":
      return hearPulse(turn, worker, message);
    case "silent":
      return hearSilence(turn, worker, message);
    case "exit":
      return bury(turn, worker, message.how);
  }
}

type Request<T extends Message["type"]> = Extract<Message, { type: T }>;

function start(turn: Turn, message: Request<"start">): void {
  const { call, launch, workerCount, generation, resume, drain } = message;
  if (turn.pool.phase.name !== "empty") {
    turn.effects.push({ type: "refuse", call, error: "AlreadyRunning" });
    return;
  }
  if (drain) turn.pool = { ...turn.pool, times: drain };
  turn.pool = { ...turn.pool, nextWorker: message.nextWorker ?? 1 };
  const first = { number: generation, workerCount, launch };
  emit(turn, "Bootup");
  if (!resume) return beginRollout(turn, { kind: "boot", id: "", coming: first, call });
  turn.pool = { ...turn.pool, serving: first, nextGeneration: message.nextGeneration ?? generation + 1 };
  enter(turn, { name: "rest" });
  turn.effects.push({ type: "reply", call, result: { outcome: "ready", counts: countWorkers(turn.pool) } });
}

function deploy(turn: Turn, { call, id, launch, workerCount, timeout, drain }: Request<"deploy">): void {
  const { phase, serving, lastDeploy, nextGeneration: number } = turn.pool;
  if (lastDeploy?.deploy === id || (phase.name === "rollout" && phase.kind === "deploy" && phase.id === id)) {
    return attachDeploy(turn, call, id);
  }
  if (phase.name !== "rest" || !serving) return refuseDeploy(turn, call);
  const coming = { number, launch, workerCount: workerCount || serving.workerCount };
  if (timeout !== null) setTimer(turn, { kind: "deploy", generation: number }, timeout);
  beginRollout(turn, { kind: "deploy", id, coming, call, drain });
}

function refuseDeploy(turn: Turn, call: CallId): void {
  const { phase } = turn.pool;
  if (phase.name === "rollout" && phase.kind === "deploy") {
    turn.effects.push({ type: "refuse", call, error: "DeployInProgress", data: { deploy: phase.id } });
  } else {
    const error =
      phase.name === "rollout" ? "StillBooting" : phase.name === "empty" ? "NotStarted" : "ShuttingDown";
    turn.effects.push({ type: "refuse", call, error });
  }
}

function attachDeploy(turn: Turn, call: CallId, id: string): void {
  const { phase, lastDeploy } = turn.pool;
  if (phase.name === "rollout" && phase.kind === "deploy" && phase.id === id) {
    enter(turn, { ...phase, callers: [...phase.callers, call] });
  } else if (lastDeploy?.deploy === id) turn.effects.push({ type: "reply", call, result: lastDeploy });
  else turn.effects.push({ type: "refuse", call, error: "UnknownDeploy" });
}

function abortDeploy(turn: Turn, { call, id }: Request<"abortDeploy">): void {
  const { phase } = turn.pool;
  const isMeant =
    phase.name === "rollout" && phase.kind === "deploy" && (id === undefined || phase.id === id);
  if (!isMeant) {
    turn.effects.push({ type: "refuse", call, error: "NoDeployInProgress" });
    return;
  }
  const rollout = { ...phase, aborters: [...phase.aborters, call] };
  enter(turn, rollout);
  if (phase.stage === "booting") failRollout(turn, rollout, { aborted: true, reason: "it was aborted" });
  else if (phase.stage === "leaving") destroyOld(turn);
}

function expire(turn: Turn, timer: Timer): void {
  const { phase } = turn.pool;
  switch (timer.kind) {
    case "deploy":
      if (phase.name !== "rollout" || phase.coming.number !== timer.generation) return;
      return expireDeploy(turn);
    case "stop":
      return expireStop(turn);
    case "patience":
      return losePatience(turn, timer.worker);
    case "waiting":
      return tellWaiting(turn);
    case "check":
      return check(turn);
    case "slot":
      return endDelay(turn, timer.slot, timer.failures);
    case "steady": {
      const worker = findWorker(turn, timer.worker);
      if (worker?.leaves === null) forgiveSlot(turn, worker.slot);
    }
  }
}

/** A worker that was given a time to leave in, and has not. */
function losePatience(turn: Turn, id: number): void {
  const worker = findWorker(turn, id);
  if (!worker || !destroy(turn, worker, "DestroyOld", "OldExit")) return;
  const { phase } = turn.pool;
  if (phase.name === "rollout" && phase.stage === "leaving" && worker.generation < phase.coming.number) {
    enter(turn, { ...phase, killed: phase.killed + 1 });
  }
}

function expireDeploy(turn: Turn): void {
  const { phase } = turn.pool;
  if (phase.name !== "rollout" || phase.stage === "destroying") return;
  emit(turn, "Timeout");
  if (phase.stage === "leaving") return destroyOld(turn);
  const late = findAwaited(turn.pool).map(({ slot }) => slot);
  const reason = `timed out while waiting for ${late.length === 1 ? "worker" : "workers"} ${late.join(", ")} to be online`;
  failRollout(turn, phase, { aborted: false, reason });
}

function welcome(turn: Turn, worker: PoolWorker): void {
  if (worker.status !== "booting") return;
  const rollout = findBooting(turn, worker);
  if (rollout) {
    emit(turn, "NewOnline", setStatus(turn, worker, "new_online"));
    return takeOverWhenReady(turn, rollout);
  }
  const { phase } = turn.pool;
  // Until the last old worker is gone the new generation counts as new_online, its replacements included.
  const isNew = phase.name === "rollout" && worker.generation === phase.coming.number;
  emit(turn, "WorkerOnline", setStatus(turn, worker, isNew ? "new_online" : "online"));
  watchSteadiness(turn, worker);
  replaceUnwell(turn, worker);
  announceReady(turn);
}

function dismiss(turn: Turn, worker: PoolWorker): void {
  if (worker.leaves !== null) return;
  const rollout = findBooting(turn, worker);
  if (rollout) {
    const reason = `worker ${worker.slot} declared itself offline before its generation had taken over`;
    return failRollout(turn, rollout, { aborted: false, reason, worker });
  }
  noteLoss(turn, worker);
  const soon = worker.status === "booting" || turn.now - worker.since < shortLife;
  const delay = soon ? noteFailure(turn, worker) : undefined;
  if (worker.status === "booting") destroy(turn, worker, "WorkerOffline", "WorkerDeath", delay);
  else retire(turn, worker, { event: "WorkerOffline", leaves: "WorkerDeath", detail: delay });
}

function bury(turn: Turn, worker: PoolWorker, how: string): void {
  remove(turn, worker);
  forgetRelief(turn, worker);
  if (worker.patience !== undefined) clearTimer(turn, { kind: "patience", worker: worker.id });
  if (turn.pool.backoff.has(worker.slot)) clearTimer(turn, { kind: "steady", worker: worker.id });
  const rollout = findBooting(turn, worker);
  if (worker.leaves !== null) {
    // That it left as it should needs no words.
    const detail = how === "exited with code 0" ? undefined : how;
    if (detail !== undefined && worker.leaves === "WorkerDeath")
      emitDeath(turn, "WorkerDeath", worker, { how });
    else emit(turn, worker.leaves, worker, detail);
  } else if (rollout) {
    emitDeath(turn, "NewDeath", worker, { how });
    const when =
      worker.status === "booting" ? "before it was online" : "before its generation had taken over";
    failRollout(turn, rollout, { aborted: false, reason: `worker ${worker.slot} ${how} ${when}`, worker });
  } else {
    noteLoss(turn, worker);
    const delay = noteFailure(turn, worker);
    emitDeath(turn, "WorkerDeath", worker, { how, rest: delay });
  }
  settleRollout(turn);
  settleStop(turn);
}
