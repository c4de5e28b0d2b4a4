/** What must be true after every step, and at the end of a fair history. */
import type { Pool } from "../../src/actors/master/pool/state.js";
import type { Demand } from "./world-hear.js";
import { isComing, isOld, type Model, measureSilence, type Seen } from "./world-model.js";
import type { Process } from "./world-process.js";
import { hold } from "./world-promises.js";

/** How late, in milliseconds, a timer may be in a world that never sleeps. */
const promptly = 50;
/** Until silence is noticed, and a worker that could not even be told to go is killed. */
const noticed = 12_000;

export function checkStep(model: Model, pool: Pool, demand: Demand): void {
  const workers = [...model.workers.values()];
  checkBook(model, pool, workers);
  for (const worker of workers) {
    const told = worker.status !== "dying" || worker.told !== "nothing";
    hold(told, "told", () => `worker ${worker.id} counts as dying and knows nothing of it`);
  }
  checkDemand(model, demand, workers);
  checkSlots(model, workers);
  checkRollout(model, workers);
  checkDeadlines(model, workers);
  checkCalls(model);
  checkHanging(model, workers);
}

/** Who hangs is retired, and killed if that does not reach it. */
function checkHanging(model: Model, workers: readonly Seen[]): void {
  for (const { id, status, limits, told } of workers) {
    if (limits.hang === undefined) continue;
    const silence = measureSilence(model, id, model.wokeAt) - limits.hang * 1000;
    hold(status === "dying" || silence < noticed, "unwell", () => `worker ${id} hangs, and serves`);
    const most = limits.hang * 1000 + noticed;
    hold(told === "kill" || silence < most, "unwell", () => `worker ${id} hangs, and lives`);
  }
}

/** The pool's own state says the same as the book. */
function checkBook(model: Model, pool: Pool, workers: readonly Seen[]): void {
  const same =
    pool.workers.length === workers.length &&
    pool.workers.every(({ id, status }) => model.workers.get(id)?.status === status);
  const tell = (list: readonly { id: number; status: string }[]) =>
    list.map(({ id, status }) => `${id} ${status}`).join(", ");
  hold(same, "counts", () => `the pool has ${tell(pool.workers)}; there are ${tell(workers)}`);
  const { serving } = pool;
  const served =
    serving?.number === model.serving?.number &&
    serving?.workerCount === model.serving?.workerCount &&
    serving?.launch === model.serving?.launch;
  hold(served, "noTrace", () => `serves ${JSON.stringify(serving)}, should ${JSON.stringify(model.serving)}`);
}

function checkDemand(model: Model, { gone, up, out, hurry }: Demand, workers: readonly Seen[]): void {
  hold(
    gone === undefined || !model.workers.has(gone),
    "counts",
    () => `worker ${gone} is gone and still counted`,
  );
  hold(
    up === undefined || model.workers.get(up)?.status !== "booting",
    "counts",
    () => `worker ${up} is online`,
  );
  const ignored = out !== undefined && model.workers.get(out)?.status !== "dying";
  hold(!ignored, "told", () => `worker ${out} said offline and is not retired`);
  if (!hurry) return;
  for (const worker of workers) {
    const meant = hurry === "all" || isOld(model, worker);
    hold(!meant || worker.told === "kill", "destroyed", () => `worker ${worker.id} is not killed`);
  }
}

function checkSlots(model: Model, workers: readonly Seen[]): void {
  const { serving } = model;
  if (!serving || model.ended) return;
  if (model.stopping) {
    for (const { id, status } of workers)
      hold(status === "dying", "told", () => `worker ${id} misses the stop`);
    return;
  }
  for (let slot = 0; slot < serving.workerCount; slot += 1) {
    const filled = workers.some(
      (worker) => worker.slot === slot && worker.generation === serving.number && worker.status !== "dying",
    );
    hold(filled || model.delayed.has(slot), "filled", () => `slot ${slot} is vacant`);
  }
}

function checkRollout(model: Model, workers: readonly Seen[]): void {
  const { rollout, stopping } = model;
  if (!rollout || stopping) return;
  for (const id of rollout.tookOver ? [] : rollout.before) {
    const stays = model.left.has(id) || model.workers.get(id)?.status !== "dying";
    hold(stays, "noTrace", () => `worker ${id} has to go`);
  }
  const coming = workers.filter((worker) => isComing(model, worker));
  for (const { id, told } of rollout.failing ? coming : []) {
    hold(told === "kill", "destroyed", () => `worker ${id} is not killed`);
  }
  if (rollout.tookOver || rollout.failing) return;
  hold(coming.length === rollout.coming.workerCount, "oneEach", () => `${coming.length} new workers`);
  const booting = coming.some(({ status }) => status === "booting");
  hold(booting, "settles", () => "all new workers are online and nothing follows");
}

function checkDeadlines(model: Model, workers: readonly Seen[]): void {
  const { rollout, stopDeadline, stopping, ended, now } = model;
  if (ended) return;
  const slack = promptly + model.slept;
  if (stopDeadline !== null && now > stopDeadline + slack) {
    for (const { id, told } of workers)
      hold(told === "kill", "deadline", () => `worker ${id} outlives the stop's timeout`);
  }
  if (stopping) hold(now <= model.lastWaiting + 5000 + slack, "told5", () => "a stop is silent");
  if (stopping || !rollout) return;
  hold(now <= model.lastWaiting + 5000 + slack, "told5", () => `a ${rollout.kind} is silent`);
  if (rollout.deadline === null || now <= rollout.deadline + slack || rollout.failing) return;
  hold(rollout.tookOver, "deadline", () => `${rollout.id} outlives its timeout`);
  for (const worker of workers) {
    const late = isOld(model, worker) && worker.told !== "kill";
    hold(!late, "deadline", () => `worker ${worker.id} outlives the timeout of ${rollout.id}`);
  }
}

/** Who may still be waiting for an answer. */
function checkCalls({ pending, rollout, stopping, ended }: Model): void {
  for (const [call, { type }] of pending) {
    const inFlight =
      type === "stop"
        ? stopping && !ended
        : type === "status" || rollout === null || stopping
          ? false
          : (type === "start") === (rollout.kind === "boot");
    hold(inFlight, "answers", () => `call ${call} (${type}) is left without an answer`);
  }
}

/** The adversary has been gone for a while, and every process is a good one. */
export function checkPeace(model: Model, pool: Pool, processes: readonly Process[]): void {
  const { pending, rollout, stopping, ended, started, serving } = model;
  hold(pending.size === 0, "answers", () => `calls ${[...pending.keys()].join(", ")} wait for ever`);
  hold(rollout === null && (!stopping || ended), "settles", () => `${pool.phase.name} lasts for ever`);
  const alive = processes.filter((process) => process.alive).map(({ id }) => id);
  const known = pool.workers.map(({ id }) => id);
  hold(
    alive.join() === known.join(),
    "counts",
    () => `there live ${alive.join()}, the pool knows ${known.join()}`,
  );
  if (ended || !started) return hold(alive.length === 0, "end", () => "somebody outlives the end");
  for (const { id, over } of model.workers.values())
    hold(!over, "unwell", () => `worker ${id} uses too much`);
  const slots = pool.workers.filter(({ status }) => status === "online").map(({ slot }) => slot);
  const full =
    slots.sort((a, b) => a - b).join() ===
    Array.from({ length: serving?.workerCount ?? 0 }, (_, i) => i).join();
  hold(
    full && alive.length === slots.length,
    "oneEach",
    () => `slots online: ${slots.join()}; alive: ${alive.join()}`,
  );
}
