/** Follows the pool's effects one by one in the observer's book, and holds each against the promises. */
import type { Effect, Generation, Message, PoolWorker } from "../../src/actors/master/pool/state.js";
import type { EventName } from "../../src/protocol/types.js";
import { hearRefuse, hearReply } from "./world-calls.js";
import {
  closeRollout,
  countSeen,
  findWanted,
  isComing,
  isOld,
  listAwaited,
  type Model,
  measureSilence,
  type Seen,
} from "./world-model.js";
import { hold } from "./world-promises.js";

export function observe(model: Model, effect: Effect, cause: Message): void {
  const quiet = effect.type === "reply" || effect.type === "refuse" || effect.type === "emit";
  hold(!model.ended || quiet, "silence", () => `${effect.type} after the end`);
  switch (effect.type) {
    case "fork":
      return seeFork(model, effect.worker, effect.launch, cause);
    case "emit":
      return seeEvent(model, effect, cause);
    case "shutdown":
      return seeTold(model, effect.worker, "shutdown");
    case "kill":
      return seeTold(model, effect.worker, "kill");
    case "ping":
      return seePing(model, effect.worker);
    case "reply":
      return hearReply(model, effect.call, effect.result);
    case "refuse":
      return hearRefuse(model, effect.call, effect.error, cause);
    case "serving":
      return seeTakeOver(model, effect.generation);
    case "waiting":
      return seeWaiting(model, effect.workers);
    case "setTimer":
      return seeTimer(model, effect, cause);
    case "clearTimer":
      if (effect.timer.kind === "slot") model.delayed.delete(effect.timer.slot);
      return;
    case "end":
      hold(model.workers.size === 0, "end", () => `workers ${[...model.workers.keys()].join(", ")} live`);
      model.ended = true;
      model.rollout = null;
  }
}

function seeFork(model: Model, worker: PoolWorker, launch: object, cause: Message): void {
  const { id, slot, generation } = worker;
  hold(!model.stopping, "silence", () => `worker ${id} is forked during a stop`);
  hold(id > model.lastId, "ids", () => `${id} after ${model.lastId}`);
  const asked = cause.type === "start" || cause.type === "deploy";
  const { rollout, serving } = model;
  const coming = asked && rollout && !rollout.failing && generation === rollout.coming.number;
  const origin = coming ? rollout.coming : generation === serving?.number ? serving : null;
  hold(origin !== null, "noTrace", () => `worker ${id} is forked for generation ${generation}`);
  hold(launch === origin.launch, "launch", () => `worker ${id} of generation ${generation}`);
  hold(slot < origin.workerCount, "oneEach", () => `slot ${slot} of ${origin.workerCount}`);
  for (const other of model.workers.values()) {
    const relief = other.over && isAbout(cause, "pulse", other);
    const clash =
      other.slot === slot && other.generation === generation && other.status !== "dying" && !relief;
    hold(!clash, "oneEach", () => `worker ${id} is forked into the slot of worker ${other.id}`);
  }
  model.lastId = id;
  model.workers.set(id, {
    id,
    slot,
    generation,
    status: "booting",
    told: "nothing",
    leaves: null,
    onlineSince: 0,
    limits: worker.limits,
    hangs: false,
    over: false,
  });
  countForks(model, `${generation}:${slot}`);
}

/** With delays of 0, 1, 2, 4… s, a quarter less by jitter, eight forks fit into a minute. */
function countForks(model: Model, place: string): void {
  const recent = (times: readonly number[] = []): number[] =>
    times.filter((time) => time > model.now - 60_000);
  const forks = [...recent(model.forks.get(place)), model.now];
  model.forks.set(place, forks);
  const allowed = 9 + recent(model.excuses.get(place)).length;
  hold(forks.length <= allowed, "spin", () => `${forks.length} forks of ${place} in a minute`);
}

function seeEvent(model: Model, { event, worker }: Extract<Effect, { type: "emit" }>, cause: Message): void {
  const { name, counts, waitingFor } = event;
  const seen = worker ? model.workers.get(worker.id) : undefined;
  hold(!worker || seen !== undefined, "counts", () => `${name} of worker ${worker?.id}, which does not live`);
  if (seen) followWorker(model, name, seen, cause);
  if (name === "Ready") seeReady(model);
  const lives = countSeen(model);
  const same = (Object.keys(lives) as (keyof typeof lives)[]).every(
    (status) => lives[status] === counts[status],
  );
  hold(same, "counts", () => `${name} says ${JSON.stringify(counts)}, there are ${JSON.stringify(lives)}`);
  // Bootup comes before anything is waited for.
  const wanted = name === "Bootup" ? null : findWanted(model);
  hold(waitingFor === wanted, "counts", () => `${name} waits for ${waitingFor}, should for ${wanted}`);
  if (seen && cause.type === "exit" && cause.worker === seen.id) closeRollout(model);
}

/** What the event does to its worker, and whether it may. */
function followWorker(model: Model, name: EventName, worker: Seen, cause: Message): void {
  switch (name) {
    case "SpawnNew":
      return;
    case "NewOnline":
    case "WorkerOnline":
      return seeOnline(model, name, worker, cause);
    case "ShutdownOld":
    case "WorkerOffline":
    case "DestroyNew":
    case "DestroyOld":
      return seeLeaving(model, name, worker, cause);
  }
  const unasked =
    model.rollout && !model.rollout.tookOver && isComing(model, worker) ? "NewDeath" : "WorkerDeath";
  const expected = worker.leaves ?? unasked;
  hold(name === expected, "counts", () => `worker ${worker.id} leaves with ${name} instead of ${expected}`);
  hold(isAbout(cause, "exit", worker), "counts", () => `${name} of worker ${worker.id}, which lives`);
  model.workers.delete(worker.id);
}

function isAbout(cause: Message, type: Message["type"], { id }: Seen): boolean {
  return cause.type === type && "worker" in cause && cause.worker === id;
}

function seeOnline(model: Model, name: EventName, worker: Seen, cause: Message): void {
  hold(
    isAbout(cause, "online", worker),
    "counts",
    () => `${name} of worker ${worker.id}, which did not say so`,
  );
  hold(
    worker.status === "booting",
    "counts",
    () => `${name} of worker ${worker.id}, which is ${worker.status}`,
  );
  const coming = isComing(model, worker);
  const expected = coming && !model.rollout?.tookOver ? "NewOnline" : "WorkerOnline";
  hold(name === expected, "counts", () => `worker ${worker.id} comes with ${name} instead of ${expected}`);
  worker.status = coming ? "new_online" : "online";
  worker.onlineSince = model.now;
}

const leavesWith: Partial<Record<EventName, EventName>> = {
  ShutdownOld: "OldExit",
  DestroyOld: "OldExit",
  DestroyNew: "NewDestroyed",
  WorkerOffline: "WorkerDeath",
};

function seeLeaving(model: Model, name: EventName, worker: Seen, cause: Message): void {
  const unwell = seeHang(model, name, worker, cause) || seeRelief(model, name, worker, cause);
  const { rollout, stopping } = model;
  const early =
    rollout !== null && !rollout.tookOver && isOld(model, worker) && name !== "WorkerOffline" && !unwell;
  hold(stopping || !early, "oldStay", () => `${name} of worker ${worker.id}`);
  const replaced = rollout?.tookOver === true && isOld(model, worker);
  const allowed =
    unwell ||
    (name === "WorkerOffline"
      ? isAbout(cause, "offline", worker) && worker.status !== "dying"
      : name === "DestroyNew"
        ? !stopping && rollout?.failing != null && isComing(model, worker)
        : stopping || replaced);
  hold(allowed, "capacity", () => `${name} of worker ${worker.id} (${worker.status}) after ${cause.type}`);
  if (name === "DestroyOld" && !stopping && replaced) rollout.killed += 1;
  if (name === "WorkerOffline" && worker.status !== "booting") excuse(model, worker);
  worker.status = "dying";
  worker.leaves ??= leavesWith[name] ?? null;
}

/** Whether it goes because it hangs; then it has to, or has been retired for that and has its replacement. */
function seeHang(model: Model, name: EventName, worker: Seen, cause: Message): boolean {
  if (name === "DestroyOld" && worker.hangs && cause.type === "online") return true;
  if (cause.type !== "silent") return false;
  const { hang = Number.POSITIVE_INFINITY } = worker.limits;
  const culprit = cause.worker;
  const silence = measureSilence(model, culprit) + model.napped;
  hold(silence >= hang * 1000, "patient", () => `worker ${culprit} was silent for ${silence} ms`);
  if (name === "DestroyNew") {
    if (model.rollout && !model.rollout.tookOver) model.rollout.failing ??= "failed";
    return false;
  }
  if (!isAbout(cause, "silent", worker)) return false;
  if (name === "WorkerOffline") blameHang(model, worker);
  return name === "WorkerOffline" || name === "DestroyOld";
}

/** A hang is a failure like a crash. */
function blameHang(model: Model, worker: Seen): void {
  if (!model.left.has(worker.id)) model.failures.set(worker.slot, (model.failures.get(worker.slot) ?? 0) + 1);
  model.left.add(worker.id);
  worker.hangs = true;
}

/** Whether it goes because it used too much: then its replacement is online, and no other one went lately. */
function seeRelief(model: Model, name: EventName, worker: Seen, cause: Message): boolean {
  if (name !== "ShutdownOld" || !worker.over || cause.type !== "online" || model.rollout?.tookOver)
    return false;
  const fresh = model.workers.get(cause.worker);
  const ready = fresh?.slot === worker.slot && fresh.generation === worker.generation && fresh.id > worker.id;
  if (!ready || fresh.status === "booting" || fresh.status === "dying") return false;
  const since = model.now - model.lastRelief;
  hold(since >= 10_000, "unwell", () => `worker ${worker.id} goes ${since} ms after the one before`);
  model.lastRelief = model.now;
  model.left.add(worker.id);
  excuse(model, worker);
  return true;
}

function seePing(model: Model, id: number): void {
  const worker = model.workers.get(id);
  hold(worker !== undefined, "told", () => `worker ${id} is asked, which does not live`);
  hold(worker.status !== "booting", "patient", () => `worker ${id} is asked while it boots`);
}

/** A worker that lived for a second before it said `offline` is replaced as often as it likes. */
function excuse(model: Model, { generation, slot, onlineSince }: Seen): void {
  if (model.now - onlineSince < 1000) return;
  const place = `${generation}:${slot}`;
  model.excuses.set(place, [...(model.excuses.get(place) ?? []), model.now]);
}

function seeTold(model: Model, id: number, how: "shutdown" | "kill"): void {
  const worker = model.workers.get(id);
  hold(worker !== undefined, "told", () => `${how} of worker ${id}, which does not live`);
  hold(
    worker.status === "dying",
    "capacity",
    () => `${how} of worker ${id}, which counts as ${worker.status}`,
  );
  const again = how === "kill" ? worker.told === "kill" : worker.told !== "nothing";
  hold(!again, "told", () => `${how} of worker ${id} after ${worker.told}`);
  worker.told = how;
}

function seeTakeOver(model: Model, generation: Generation): void {
  const { rollout } = model;
  hold(rollout !== null && !rollout.failing && !rollout.tookOver, "noTrace", () => "a take-over out of turn");
  const coming = [...model.workers.values()].filter((worker) => isComing(model, worker));
  const slots = new Set(coming.filter(({ status }) => status === "new_online").map(({ slot }) => slot));
  hold(
    slots.size === rollout.coming.workerCount,
    "oldStay",
    () => `a take-over with ${slots.size} workers online`,
  );
  const same = generation.number === rollout.coming.number && generation.launch === rollout.coming.launch;
  hold(
    same && generation.workerCount === rollout.coming.workerCount,
    "noTrace",
    () => "another one takes over",
  );
  model.serving = rollout.coming;
  rollout.tookOver = true;
  model.failures.clear();
  closeRollout(model);
}

/** The first failure is forgiven, the second costs a second, and so on up to a minute. */
function seeTimer(
  model: Model,
  { timer, seconds, jitter }: Extract<Effect, { type: "setTimer" }>,
  cause: Message,
): void {
  if (timer.kind !== "slot") return;
  const hanging = cause.type === "silent" ? model.workers.get(cause.worker) : undefined;
  if (hanging) blameHang(model, hanging);
  const failures = model.failures.get(timer.slot) ?? 0;
  const expected = failures < 2 ? 0 : Math.min(60, 2 ** (failures - 2));
  hold(
    jitter && seconds === expected,
    "spin",
    () => `slot ${timer.slot} waits ${seconds} s for ${failures} failures`,
  );
  model.delayed.add(timer.slot);
}

function seeReady(model: Model): void {
  const online = [...model.workers.values()].filter(({ status }) => status === "online");
  const slots = new Set(online.map(({ slot }) => slot));
  const rest = model.rollout === null && !model.stopping && !model.ended;
  hold(
    rest && slots.size === model.serving?.workerCount,
    "ready",
    () => `${slots.size} slots have their worker`,
  );
}

function seeWaiting(model: Model, workers: readonly { readonly id: number }[]): void {
  model.lastWaiting = model.now;
  const expected = listAwaited(model).map(({ id }) => id);
  const named = workers.map(({ id }) => id);
  const same = named.length === expected.length && expected.every((id) => named.includes(id));
  hold(same, "told5", () => `named ${named.join(", ")}, awaited ${expected.join(", ")}`);
}
