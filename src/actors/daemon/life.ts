/** The daemon's life: opening its files, its first master and the next ones, the stop, the close. */
import type { ResolvedLaunch, Started } from "../../protocol/types.js";
import type { Message, Refusal } from "./state.js";
import { announce, askMaster, log, refuse, reply, type Turn, update } from "./turn.js";

const noCounts = { booting: 0, online: 0, dying: 0, new_online: 0 };
/** Seconds: the first new master comes at once, later ones after a delay that doubles between these. */
const firstDelay = 0.5;
const longestDelay = 60;
const steadyAfter = 60;

type Request<T extends Message["type"]> = Extract<Message, { type: T }>;

export function openFiles(turn: Turn, { call, client, start }: Request<"start">): void {
  if (turn.state.life !== "empty") return refuse(turn, call, { error: "AlreadyRunning" });
  update(turn, { life: "opening", start, startCall: { call, client } });
  turn.effects.push({ type: "open", start });
}

export function runFirstMaster(turn: Turn, launch: ResolvedLaunch): void {
  const { start, startCall, stoppers } = turn.state;
  if (!start || !startCall) return;
  if (stoppers.length > 0) return close(turn);
  const forwarded = new Map(turn.state.forwarded).set(startCall.call, {
    client: startCall.client,
    kind: "start",
    deploy: "",
  } as const);
  update(turn, { life: "running", forwarded });
  startMaster(turn, startCall.call, { launch, workerCount: start.workerCount, generation: 1 }, false);
}

/** The start could not even begin: there is nothing to close. */
export function endStart(turn: Turn, refusal: Refusal): void {
  const { startCall, stoppers } = turn.state;
  update(turn, { life: "gone" });
  if (startCall) refuse(turn, startCall.call, refusal);
  for (const { call } of stoppers) reply(turn, call, {});
  turn.effects.push({ type: "end", exitCode: 1 });
}

function startMaster(
  turn: Turn,
  call: number,
  { launch, workerCount, generation }: { launch: ResolvedLaunch; workerCount: number; generation: number },
  resume: boolean,
): void {
  const { start } = turn.state;
  if (!start) return;
  const { logs, drain } = start;
  const output = { stdout: logs.stdout !== "/dev/null", stderr: logs.stderr !== "/dev/null" };
  update(turn, { master: "alive" });
  turn.effects.push({
    type: "startMaster",
    call,
    start: { launch, workerCount, generation, drain, resume, output },
  });
}

export function loseMaster(turn: Turn, how: string): void {
  const { life, serving, forwarded } = turn.state;
  update(turn, { master: "none", forwarded: new Map() });
  if (life === "stopping") return finishStop(turn);
  if (life !== "running") return;
  const reason = `the master process ${how}`;
  for (const [call, { kind, deploy }] of forwarded) {
    if (kind === "start")
      update(turn, { startFailure: { refusal: { error: "MasterLost", message: reason } } });
    else if (kind === "status") refuse(turn, call, { error: "MasterLost", message: reason });
    else reply(turn, call, { deploy, outcome: "failed", counts: noCounts, killed: 0, failed: { reason } });
  }
  if (!serving) return finishStop(turn);
  const deaths = turn.state.masterDeaths + 1;
  update(turn, { masterDeaths: deaths, counts: noCounts });
  const seconds = deaths === 1 ? 0 : Math.min(longestDelay, firstDelay * 2 ** (deaths - 2));
  log(turn, `${reason}; a new one starts ${seconds === 0 ? "now" : `in ${seconds} s`}`);
  turn.effects.push({ type: "later", seconds, message: { type: "reviveMaster" } });
}

export function reviveMaster(turn: Turn): void {
  const { life, master, serving, masterDeaths } = turn.state;
  if (life !== "running" || master !== "none" || !serving) return;
  startMaster(turn, 0, serving, true);
  turn.effects.push({
    type: "later",
    seconds: steadyAfter,
    message: { type: "masterSteady", deaths: masterDeaths },
  });
}

export function beginStop(turn: Turn, { call, client, stop }: Request<"stop">): void {
  const { life, master, stoppers } = turn.state;
  update(turn, { stoppers: [...stoppers, { call, client }] });
  switch (life) {
    case "empty":
    case "gone":
      return finishClose(turn);
    case "opening":
    case "closing":
      return;
    case "running":
      update(turn, { life: "stopping" });
      return master === "alive" ? askMaster(turn, 0, { method: "stop", params: stop }) : finishStop(turn);
    case "stopping":
      if (client !== 0) turn.effects.push({ type: "notice", client, name: "AlreadyShuttingDown" });
      if (master === "alive") askMaster(turn, 0, { method: "stop", params: stop });
  }
}

function finishStop(turn: Turn): void {
  announce(turn, { name: "Shutdown", counts: noCounts, waitingFor: "shutdown" });
  close(turn);
}

function close(turn: Turn): void {
  update(turn, { life: "closing" });
  turn.effects.push({ type: "close" });
}

/** Answers whoever waited until nothing was left. */
export function finishClose(turn: Turn): void {
  const { startCall, startFailure, stoppers } = turn.state;
  update(turn, { life: "gone", stoppers: [], startCall: null });
  const stopped: Started = { outcome: "stopped", counts: noCounts };
  const ending = startFailure ?? { result: stopped };
  if (startCall && "refusal" in ending) refuse(turn, startCall.call, ending.refusal);
  else if (startCall && "result" in ending) reply(turn, startCall.call, ending.result);
  for (const { call } of stoppers) reply(turn, call, {});
  turn.effects.push({ type: "end", exitCode: startFailure ? 1 : 0 });
}
