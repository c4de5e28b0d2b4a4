/** The daemon's machine: one server from its start to its stop. Pure; owns who called, who watches, and what serves. */
import type { MasterSettled, Status } from "../../protocol/types.js";
import {
  answerJoined,
  attach,
  cancel,
  deploy,
  deployResolved,
  rememberSettled,
  takeResolving,
} from "./deploys.js";
import { unpackState } from "./heritage.js";
import { followWorker } from "./known-workers.js";
import {
  describeMasterless,
  endStart,
  inherit,
  loseMaster,
  openFiles,
  reviveMaster,
  runFirstMaster,
} from "./life.js";
import { forgetLifeline } from "./lifelines.js";
import { noMemory } from "./memory.js";
import { findObstacle } from "./obstacle.js";
import { applyChange, describePool } from "./pool-view.js";
import { completeStatus } from "./report.js";
import { type Daemon, type Effect, type Message, ownCall } from "./state.js";
import { beginStop, finishClose, finishStop, tellStrayWaiting, tellWaiting } from "./stop.js";
import { buryStray, expireStray, lookAfterLifeline, retireStrays, takeLifeline } from "./strays.js";
import { announce, askMaster, forward, noCounts, refuse, reply, type Turn, update } from "./turn.js";
import { forgetClient, watch } from "./watchers.js";

export const emptyDaemon: Daemon = {
  life: "empty",
  start: null,
  startCall: null,
  startFailure: null,
  master: "none",
  pool: null,
  masterDeaths: 0,
  heard: 0,
  masters: 0,
  isWhole: false,
  isListening: false,
  workers: new Map(),
  strays: new Map(),
  lifelines: new Map(),
  newestWorker: 0,
  lastWorker: 0,
  lastGeneration: 0,
  serving: null,
  servingSince: null,
  resolving: new Map(),
  forwarded: new Map(),
  stopDrain: {},
  stopDue: null,
  stoppers: [],
  watchers: new Set(),
  counts: noCounts,
  waitingFor: null,
  sequence: 0,
  events: noMemory,
  deaths: [],
  settled: [],
};

/**
 * `time` is the time of day in ISO 8601: what events are stamped with, and nothing is decided by. `at` is in milliseconds
 * of a monotonic clock, the same for the daemon that follows.
 */
export function step(
  state: Daemon,
  message: Message,
  time: string,
  at: number,
): { state: Daemon; effects: readonly Effect[] } {
  const turn: Turn = { state, effects: [], time, at };
  handle(turn, message);
  return { state: turn.state, effects: turn.effects };
}

function handle(turn: Turn, message: Message): void {
  switch (message.type) {
    case "start":
      return openFiles(turn, message);
    case "opened":
      return runFirstMaster(turn, message.launch);
    case "openFailed":
      return endStart(turn, message.refusal);
    case "deploy":
      return deploy(turn, message);
    case "resolved":
      return deployResolved(turn, message);
    case "unresolved":
      if (takeResolving(turn, message.call)) refuse(turn, message.call, message.refusal);
      return;
    case "attachDeploy":
      return attachDeploy(turn, message);
    case "abortDeploy":
      return abortDeploy(turn, message);
    case "cancel":
      return cancel(turn, message.call);
    case "status":
      return tellStatus(turn, message);
    case "stop":
      return beginStop(turn, message);
    case "watch":
      return watch(turn, message);
    case "clientGone":
      forgetLifeline(turn, message.client);
      return forgetClient(turn, message.client);
    case "lifeline":
      return takeLifeline(turn, message);
    case "strayGone":
      buryStray(turn, message.pid);
      return finishStop(turn);
    case "inherited":
      return inherit(turn, unpackState(message.parts, message.events, emptyDaemon), message.hasMaster);
    case "lifelineLook":
      return lookAfterLifeline(turn, message);
    case "listened":
      update(turn, { isListening: false });
      return finishStop(turn);
    case "strayWaiting":
      return tellStrayWaiting(turn);
    case "strayLate":
      return expireStray(turn, message);
    case "masterAnswered":
      return passBack(turn, message.call, message);
    case "masterRefused":
      return passBack(turn, message.call, message);
    case "masterEvent":
      update(turn, { heard: turn.state.heard + 1 });
      followWorker(turn, message.event);
      announce(turn, message.event);
      if (message.event.name === "Ready") retireStrays(turn);
      return;
    case "masterChanged":
      return update(turn, {
        pool: applyChange(turn.state.pool, message.change, { at: message.at, time: turn.time }),
      });
    case "masterServing":
      // A master says it again to a daemon that has followed another.
      if (message.serving.generation !== turn.state.serving?.generation)
        update(turn, { servingSince: turn.time });
      update(turn, { serving: message.serving });
      return retireStrays(turn);
    case "masterWaiting":
      return tellWaiting(turn, message.waiting.workers);
    case "masterExited":
      return loseMaster(turn, message.how);
    case "reviveMaster":
      return reviveMaster(turn);
    case "masterSteady":
      if (turn.state.masterDeaths === message.deaths) update(turn, { masterDeaths: 0 });
      return;
    case "closed":
      return finishClose(turn);
  }
}

type Request<T extends Message["type"]> = Extract<Message, { type: T }>;

function attachDeploy(turn: Turn, { call, client, id }: Request<"attachDeploy">): void {
  const known = turn.state.settled.find(({ deploy }) => deploy === id);
  if (known) return reply(turn, call, known);
  const obstacle = findObstacle(turn.state);
  if (obstacle) return refuse(turn, call, obstacle);
  attach(turn, call, { client, kind: "attachDeploy", deploy: id });
}

function abortDeploy(turn: Turn, { call, client, id }: Request<"abortDeploy">): void {
  const obstacle = findObstacle(turn.state);
  if (obstacle) return refuse(turn, call, obstacle);
  const as = { client, kind: "abortDeploy", deploy: id ?? "" } as const;
  const params = id === undefined ? {} : { deploy: id };
  forward(turn, call, as, { method: "abortDeploy", params });
}

function tellStatus(turn: Turn, { call, client, at }: Request<"status">): void {
  const { life, master, pool } = turn.state;
  if (life === "empty") return refuse(turn, call, { error: "NotStarted" });
  if (master === "none") return reply(turn, call, completeStatus(turn, describeMasterless(turn.state)));
  if (pool && at !== undefined) {
    const status = describePool(pool, at);
    const { counts, waitingFor } = status;
    announce(turn, { name: "Status", counts, waitingFor });
    return reply(turn, call, completeStatus(turn, status));
  }
  forward(turn, call, { client, kind: "status", deploy: "" }, { method: "status", params: {} });
}

function passBack(
  turn: Turn,
  call: number,
  message: Request<"masterAnswered"> | Request<"masterRefused">,
): void {
  const forwarded = new Map(turn.state.forwarded);
  const found = forwarded.get(call);
  if (!found) return;
  forwarded.delete(call);
  update(turn, { forwarded });
  const answered = message.type === "masterAnswered";
  const ready = answered && "outcome" in message.result && message.result.outcome === "ready";
  if (found.kind === "start" && !ready) {
    // Told when everything is closed again, so that the next start finds nothing in its way.
    const startFailure = answered ? { result: message.result } : { refusal: message.refusal };
    update(turn, { startFailure, life: "stopping" });
    // One that failed to start ends by itself; one that refused to has nothing that would end it.
    return answered ? undefined : askMaster(turn, ownCall, { method: "stop", params: {} });
  }
  if (found.kind === "start") update(turn, { startCall: null });
  if (found.attaches) answerJoined(turn, found.deploy, message);
  if (!answered) return refuse(turn, call, message.refusal);
  const { result } = message;
  // A status may name a deploy, too.
  if ("phase" in result) return reply(turn, call, completeStatus(turn, result as Status));
  if ("deploy" in result) rememberSettled(turn, result as MasterSettled);
  reply(turn, call, result);
}
