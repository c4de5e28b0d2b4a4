/** The stop of a server: begun, joined, hurried, gone on with by the next daemon, and finished. Pure. */
import type { Started, Stop, WorkerInfo } from "../../protocol/types.js";
import { type Message, ownCall } from "./state.js";
import { describeStrays, retireStrays } from "./strays.js";
import { announce, askMaster, listAudience, noCounts, refuse, reply, type Turn, update } from "./turn.js";

/** The result of a start that a stop has overtaken. */
export const stopped: Started = { outcome: "stopped", counts: noCounts };
/** Seconds between two words on whom a stop waits for. */
const waitingEvery = 5;
/** Seconds in which a worker finds its daemon. */
const unknownPatience = 1;

type Request<T extends Message["type"]> = Extract<Message, { type: T }>;

export function beginStop(turn: Turn, { call, client, stop }: Request<"stop">): void {
  const { life, master, stoppers } = turn.state;
  if (life === "gone") return reply(turn, call, {});
  const joins = stoppers.length > 0 || life === "stopping" || life === "closing";
  if (joins && client !== 0) turn.effects.push({ type: "notice", client, name: "AlreadyShuttingDown" });
  update(turn, { stoppers: [...stoppers, { call, client }] });
  if (!joins && stop.drain) update(turn, { stopDrain: stop.drain });
  switch (life) {
    case "empty":
      return finishClose(turn);
    case "opening":
    case "closing":
      return;
    case "running":
      update(turn, { life: "stopping" });
      shortens(turn, stop);
      stopWorkers(turn, stop);
      return finishStop(turn);
    case "stopping":
      // Whoever only waits need not be known there.
      if (!shortens(turn, stop)) return;
      hurryStrays(turn, stop.timeout);
      if (master === "alive") askMaster(turn, ownCall, { method: "stop", params: stop });
      return;
  }
}

function hurryStrays(turn: Turn, timeout: number | undefined): void {
  if (timeout === undefined) return;
  for (const pid of turn.state.strays.keys())
    turn.effects.push({
      type: "later",
      seconds: timeout,
      message: { type: "strayLate", pid, force: true },
    });
}

/** The dead daemon had been told to stop, and may not have passed that on. */
export function resumeStop(turn: Turn): void {
  const { master, stopDue, stopDrain } = turn.state;
  const left = stopDue === null ? null : (stopDue - turn.at) / 1000;
  stopWorkers(turn, { ...(left === null ? {} : { timeout: Math.max(0, left) }), drain: stopDrain });
  if (master !== "none") return;
  listenForUnknown(turn);
  finishStop(turn);
}

function stopWorkers(turn: Turn, stop: Stop): void {
  if (turn.state.master === "alive") askMaster(turn, ownCall, { method: "stop", params: stop });
  retireStrays(turn, stop.drain);
  hurryStrays(turn, stop.timeout);
  waitForStrays(turn);
}

export function waitForStrays(turn: Turn): void {
  if (turn.state.strays.size > 0)
    turn.effects.push({ type: "later", seconds: waitingEvery, message: { type: "strayWaiting" } });
}

/** A master that is dead may have forked workers of which it has not told. */
export function listenForUnknown(turn: Turn): void {
  update(turn, { isListening: true });
  turn.effects.push({ type: "later", seconds: unknownPatience, message: { type: "listened" } });
}

/** Tells callers whom they wait for: the master's workers, and those that a dead master left behind. */
export function tellWaiting(turn: Turn, workers: readonly WorkerInfo[]): void {
  const strays = turn.state.life === "stopping" ? describeStrays(turn.state, turn.time) : [];
  const waiting = { workers: [...workers, ...strays] };
  turn.effects.push({ type: "tellWaiting", clients: listAudience(turn.state), waiting });
}

/** While there is no master to say so. */
export function tellStrayWaiting(turn: Turn): void {
  const { life, master, strays } = turn.state;
  if (life !== "stopping" || strays.size === 0) return;
  if (master === "none") tellWaiting(turn, []);
  turn.effects.push({ type: "later", seconds: waitingEvery, message: { type: "strayWaiting" } });
}

/** True: the workers have to be gone sooner than was said before. */
function shortens(turn: Turn, { timeout }: Stop): boolean {
  if (timeout === undefined) return false;
  const due = turn.at + timeout * 1000;
  const { stopDue } = turn.state;
  if (stopDue !== null && stopDue <= due) return false;
  update(turn, { stopDue: due });
  return true;
}

/** Does nothing as long as somebody is left. */
export function finishStop(turn: Turn): void {
  const { life, master, strays, isListening } = turn.state;
  if (life !== "stopping" || master === "alive" || strays.size > 0 || isListening) return;
  announce(turn, { name: "Shutdown", counts: noCounts, waitingFor: "shutdown" });
  close(turn);
}

/** Of a server that runs no workers. */
export function close(turn: Turn): void {
  update(turn, { life: "closing" });
  turn.effects.push({ type: "close" });
}

/** Answers whoever waited until nothing was left. */
export function finishClose(turn: Turn): void {
  const { startCall, startFailure, stoppers, resolving } = turn.state;
  update(turn, { life: "gone", stoppers: [], startCall: null, resolving: new Map() });
  const ending = startFailure ?? { result: stopped };
  if (startCall && "refusal" in ending) refuse(turn, startCall.call, ending.refusal);
  else if (startCall && "result" in ending) reply(turn, startCall.call, ending.result);
  for (const call of resolving.keys()) refuse(turn, call, { error: "ShuttingDown" });
  for (const { call } of stoppers) reply(turn, call, {});
  turn.effects.push({ type: "end", exitCode: startFailure ? 1 : 0 });
}
