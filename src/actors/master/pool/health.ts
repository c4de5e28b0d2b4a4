/** Workers that hang or use too much memory: who is asked how it is, how silence is counted, and what follows. */
import type { Limits } from "../../../protocol/types.js";
import { formatSpan } from "../../span.js";
import { failRollout, findBooting } from "./rollout.js";
import { noteFailure, noteLoss } from "./slots.js";
import type { Message, PoolWorker } from "./state.js";
import { destroy, enter, findWorker, note, retire, setTimer, spawn, type Turn } from "./turn.js";

/** Seconds between two questions: short enough for the limit, and no burden. */
const shortest = 0.5;
const longest = 3;
/** Milliseconds between two workers that go for their memory, and the least time that one has online. */
const pause = 10_000;

/** Sets the timer of the next question while there is somebody to be asked. */
export function scheduleCheck(turn: Turn): void {
  const { checkDue, workers } = turn.pool;
  if (checkDue !== null || !workers.some(isLimited)) return;
  const seconds = Math.min(...workers.map(({ limits }) => chooseInterval(limits)));
  turn.pool = { ...turn.pool, checkDue: turn.now + seconds * 1000, checkedAt: turn.now };
  setTimer(turn, { kind: "check" }, seconds);
}

function isLimited({ limits }: PoolWorker): boolean {
  return limits.hang !== undefined || limits.memory !== undefined;
}

function chooseInterval({ hang }: Limits): number {
  return hang === undefined ? longest : Math.min(longest, Math.max(shortest, hang / 10));
}

/**
 * Asks every worker that serves, or has yet to be told to go. If this process itself was held up, by a stop, a sleep of the
 * machine or hunger, then nobody's silence so far means anything.
 */
export function check(turn: Turn): void {
  const { checkDue, checkedAt, workers } = turn.pool;
  if (checkDue === null) return;
  const amends = turn.now - checkDue > checkDue - checkedAt;
  turn.pool = { ...turn.pool, checkDue: null, checkLasted: (checkDue - checkedAt) / 1000 };
  for (const worker of workers.filter(isAsked)) {
    if (amends && worker.silence > 0) note(turn, worker, { silence: 0 });
    turn.effects.push({ type: "ping", worker: worker.id, amends });
  }
}

// While it boots it may take all the time it wants, and what it does after `shutdown` is its own affair.
function isAsked(worker: PoolWorker): boolean {
  return isLimited(worker) && worker.status !== "booting" && !worker.told && !worker.killed;
}

/** An answer ends its silence, also that of one which is to be killed for it: it leaves like any other then. */
export function hearPulse(
  turn: Turn,
  worker: PoolWorker,
  { memory, inspected }: Extract<Message, { type: "pulse" }>,
): void {
  const { limits } = worker;
  if (worker.silence > 0 || worker.hangs !== null || worker.inspected !== inspected) {
    note(turn, worker, { silence: 0, hangs: null, inspected });
  }
  if (limits.memory !== undefined && memory > limits.memory) relieve(turn, worker, memory, limits.memory);
}

/** Starts the successor of a worker that uses too much: that one is asked to go when the new one is online. */
function relieve(turn: Turn, worker: PoolWorker, memory: number, limit: number): void {
  const { phase, serving, relief, relievedAt, backoff } = turn.pool;
  if (phase.name !== "rest" || relief || worker.status !== "online" || worker.generation !== serving?.number)
    return;
  if (turn.now - relievedAt < pause || turn.now - worker.since < pause) return;
  if (backoff.get(worker.slot)?.waiting) return;
  const fresh = spawn(turn, worker.slot, serving);
  const why = `used ${formatSize(memory)} of memory, more than ${formatSize(limit)}`;
  turn.pool = { ...turn.pool, relief: { old: worker.id, fresh: fresh.id, why }, relievedAt: turn.now };
}

function formatSize(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** A replacement is online: those whose place it takes go, and those of them that hang are killed. */
export function replaceUnwell(turn: Turn, fresh: PoolWorker): void {
  const { relief, workers } = turn.pool;
  for (const worker of workers) {
    const sameSlot = worker.slot === fresh.slot && worker.generation === fresh.generation;
    if (sameSlot && worker.hangs !== null) destroy(turn, worker, "DestroyOld", "WorkerDeath", worker.hangs);
  }
  if (relief?.fresh !== fresh.id) return;
  endRelief(turn);
  const old = findWorker(turn, relief.old);
  if (!old || old.leaves !== null) return;
  noteLoss(turn, old);
  retire(turn, old, { event: "ShutdownOld", leaves: "OldExit", detail: relief.why });
}

/** Either of the two is gone: whichever it was, there is nobody to take turns with any more. */
export function forgetRelief(turn: Turn, { id }: PoolWorker): void {
  const { relief } = turn.pool;
  if (relief?.fresh === id || relief?.old === id) endRelief(turn);
}

function endRelief(turn: Turn): void {
  turn.pool = { ...turn.pool, relief: null, relievedAt: turn.now };
}

/** It has not answered for as long as that is possible to say. */
export function hearSilence(
  turn: Turn,
  worker: PoolWorker,
  { share, doing }: Extract<Message, { type: "silent" }>,
): void {
  const { hang } = worker.limits;
  if (hang === undefined || !isAsked(worker) || worker.inspected) return;
  const silence = worker.silence + turn.pool.checkLasted * share;
  const counted = note(turn, worker, { silence });
  if (silence < hang) return;
  const why = `its event loop was blocked for ${formatSpan(hang)} (${doing})`;
  if (worker.status === "dying") return killHanging(turn, counted, why);
  const rollout = findBooting(turn, worker);
  if (rollout) {
    const reason = `worker ${worker.slot} hung before its generation had taken over: ${why}`;
    return failRollout(turn, rollout, { aborted: false, reason, worker: counted });
  }
  noteLoss(turn, worker);
  const delay = noteFailure(turn, worker);
  // It may still come to itself: then it finds the word to go, and the time to follow it.
  const detail = delay ? `${why}; ${delay}` : why;
  const hanging = note(turn, counted, { silence: 0, hangs: why });
  retire(turn, hanging, { event: "WorkerOffline", leaves: "WorkerDeath", detail });
}

/** One that was to leave, and cannot even be told. */
function killHanging(turn: Turn, worker: PoolWorker, why: string): void {
  const { phase } = turn.pool;
  const hanging = note(turn, worker, { hangs: worker.hangs ?? why });
  if (!destroy(turn, hanging, "DestroyOld", "OldExit", why)) return;
  if (phase.name === "rollout" && phase.stage === "leaving" && worker.generation < phase.coming.number) {
    enter(turn, { ...phase, killed: phase.killed + 1 });
  }
}
