/** What a message means for the observer's book, before the pool has seen it: what must follow is decided here. */
import type { Message } from "../../src/actors/master/pool/state.js";
import {
  findSituation,
  isComing,
  isOld,
  type Model,
  note,
  type Seen,
  type SeenRollout,
} from "./world-model.js";

/** What has to be true of the workers once the pool has handled the message. */
export interface Demand {
  /** This worker's exit was told. */
  readonly gone?: number;
  /** This worker is not booting any more. */
  readonly up?: number;
  /** This worker is on its way out. */
  readonly out?: number;
  /** A deadline or an abort came: all that is waited for is killed. */
  readonly hurry?: "old" | "all";
}

export function hear(model: Model, message: Message): Demand {
  const situation = findSituation(model);
  if ("call" in message) model.pending.set(message.call, message);
  label(model, message, situation);
  switch (message.type) {
    case "start":
      if (situation === "nothing") begin(model, message);
      return {};
    case "deploy":
      if (situation !== "rest" && situation !== "back-off") return {};
      if (message.id !== model.lastDeploy) beginDeploy(model, message);
      return {};
    case "abortDeploy":
      return model.stopping ? {} : hurry(model, "aborted");
    case "stop":
      hearStop(model, message.timeout);
      return {};
    case "attachDeploy":
    case "status":
      return {};
    case "timer":
      return hearTimer(model, message);
    case "told":
    case "silent":
      return {};
    case "pulse": {
      const worker = model.workers.get(message.worker);
      if (!worker) return {};
      worker.hangs = false;
      worker.over = message.memory > (worker.limits.memory ?? Number.POSITIVE_INFINITY);
      return {};
    }
    case "online":
      return model.workers.get(message.worker)?.status === "booting" ? { up: message.worker } : {};
    case "offline":
    case "exit": {
      const worker = model.workers.get(message.worker);
      if (!worker) return {};
      if (worker.status !== "dying") leave(model, worker, message.type);
      return message.type === "exit" ? { gone: worker.id } : { out: worker.id };
    }
  }
}

function begin(model: Model, message: Extract<Message, { type: "start" }>): void {
  const { launch, workerCount, generation: number, resume } = message;
  const first = { number, workerCount, launch };
  model.started = true;
  model.lastGeneration = number;
  if (resume) model.serving = first;
  else model.rollout = makeRollout(model, "boot", "", first, null);
}

function beginDeploy(model: Model, message: Extract<Message, { type: "deploy" }>): void {
  const { launch, id, timeout } = message;
  model.lastGeneration += 1;
  const workerCount = message.workerCount || (model.serving?.workerCount ?? 0);
  const coming = { number: model.lastGeneration, workerCount, launch };
  model.rollout = makeRollout(model, "deploy", id, coming, timeout);
}

function makeRollout(
  model: Model,
  kind: SeenRollout["kind"],
  id: string,
  coming: SeenRollout["coming"],
  timeout: number | null,
): SeenRollout {
  model.lastWaiting = model.now;
  const staying = [...model.workers.values()].filter(({ status }) => status !== "dying");
  return {
    kind,
    id,
    coming,
    deadline: timeout === null ? null : model.now + timeout * 1000,
    before: staying.map((worker) => worker.id),
    tookOver: false,
    failing: null,
    killed: 0,
  };
}

/** A deadline or an abort: before the take-over the new ones have to go, after it the old ones. */
function hurry({ rollout }: Model, outcome: "failed" | "aborted"): Demand {
  if (rollout?.kind !== "deploy") return {};
  if (rollout.tookOver) return { hurry: "old" };
  rollout.failing ??= outcome;
  return {};
}

function hearTimer(model: Model, { timer }: Extract<Message, { type: "timer" }>): Demand {
  if (timer.kind === "slot") model.delayed.delete(timer.slot);
  if (timer.kind === "steady") forgive(model, timer.worker);
  if (timer.kind === "stop" && model.stopping && !model.ended) return { hurry: "all" };
  if (timer.kind !== "deploy" || model.stopping) return {};
  return model.rollout?.coming.number === timer.generation ? hurry(model, "failed") : {};
}

function forgive(model: Model, id: number): void {
  const worker = model.workers.get(id);
  if (worker && worker.status !== "dying") model.failures.delete(worker.slot);
}

function hearStop(model: Model, timeout: number | null): void {
  if (model.ended || !model.started) return;
  const { rollout } = model;
  if (!model.stopping) {
    model.stopping = true;
    model.lastWaiting = model.now;
    if (rollout) note(model, rollout, rollout.failing ?? "failed");
  }
  if (timeout !== null) {
    model.stopDeadline = Math.min(model.stopDeadline ?? Number.POSITIVE_INFINITY, model.now + timeout * 1000);
  }
}

/** Unasked: a new worker fails its boot or deploy before the take-over; a serving one may have failed too soon. */
function leave(model: Model, worker: Seen, how: "exit" | "offline"): void {
  const { rollout, now, failures } = model;
  model.left.add(worker.id);
  if (rollout && !rollout.tookOver && isComing(model, worker)) {
    rollout.failing ??= "failed";
  } else if (how === "exit" || worker.status === "booting" || now - worker.onlineSince < 1000) {
    failures.set(worker.slot, (failures.get(worker.slot) ?? 0) + 1);
  }
}

function label(model: Model, message: Message, situation: string): void {
  model.reach.add(`${describe(model, message)} in ${situation}`);
}

function describe(model: Model, message: Message): string {
  if (message.type === "timer") return `timer ${message.timer.kind}`;
  if (!("worker" in message)) return message.type;
  const worker = model.workers.get(message.worker);
  if (!worker) return `stale ${message.type}`;
  const who = isOld(model, worker) ? "old " : isComing(model, worker) ? "new " : "";
  if (worker.status === "dying") return message.type === "exit" ? `${who}exit` : `late ${message.type}`;
  return message.type === "exit" ? `${who}crash` : `${who}${message.type}`;
}
