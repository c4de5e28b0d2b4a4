/** The daemon's machine: one server from its start to its stop. Pure; owns who called, who watches, and what serves. */
import type { Deploy, Launch } from "../../protocol/types.js";
import {
  beginStop,
  describeMasterless,
  endStart,
  finishClose,
  loseMaster,
  openFiles,
  reviveMaster,
  runFirstMaster,
} from "./life.js";
import { type Daemon, type Effect, type Forwarded, type Message, ownCall, type Refusal } from "./state.js";
import {
  announce,
  askMaster,
  forward,
  listAudience,
  noCounts,
  refuse,
  reply,
  type Turn,
  update,
} from "./turn.js";

export const emptyDaemon: Daemon = {
  life: "empty",
  start: null,
  startCall: null,
  startFailure: null,
  master: "none",
  masterDeaths: 0,
  serving: null,
  resolving: new Map(),
  forwarded: new Map(),
  stoppers: [],
  watchers: new Set(),
  counts: noCounts,
  sequence: 0,
};

/** `time` is the wall clock in ISO 8601: what events are stamped with. */
export function step(
  state: Daemon,
  message: Message,
  time: string,
): { state: Daemon; effects: readonly Effect[] } {
  const turn: Turn = { state, effects: [], time };
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
      return pass(turn, message, { kind: "deploy", deploy: message.id }, "attachDeploy");
    case "abortDeploy":
      return pass(turn, message, { kind: "abortDeploy", deploy: "" }, "abortDeploy");
    case "status":
      return tellStatus(turn, message);
    case "stop":
      return beginStop(turn, message);
    case "watch":
      update(turn, { watchers: new Set(turn.state.watchers).add(message.client) });
      return reply(turn, message.call, {});
    case "clientGone": {
      const watchers = new Set(turn.state.watchers);
      watchers.delete(message.client);
      return update(turn, { watchers });
    }
    case "masterAnswered":
      return passBack(turn, message.call, message);
    case "masterRefused":
      return passBack(turn, message.call, message);
    case "masterEvent":
      return announce(turn, message.event);
    case "masterServing":
      return update(turn, { serving: message.serving });
    case "masterWaiting":
      turn.effects.push({ type: "tellWaiting", clients: listAudience(turn.state), waiting: message.waiting });
      return;
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

/** Why the server cannot take a request now; null if it can. */
function findObstacle({ life, master }: Daemon): Refusal | null {
  if (life === "empty") return { error: "NotStarted" };
  if (life === "opening") return { error: "StillBooting" };
  if (life !== "running") return { error: "ShuttingDown" };
  return master === "alive"
    ? null
    : { error: "MasterLost", message: "the master process died and is being started again" };
}

type Request<T extends Message["type"]> = Extract<Message, { type: T }>;

function deploy(turn: Turn, { call, client, deploy: wish }: Request<"deploy">): void {
  const obstacle =
    findObstacle(turn.state) ?? (turn.state.serving ? null : ({ error: "StillBooting" } as const));
  const { serving } = turn.state;
  if (obstacle || !serving) return refuse(turn, call, obstacle ?? { error: "StillBooting" });
  update(turn, { resolving: new Map(turn.state.resolving).set(call, { client, deploy: wish }) });
  turn.effects.push({ type: "resolve", call, launch: applyWish(serving.launch, wish) });
}

function applyWish({ script, args, nodeArgs, env, cwd }: Launch, wish: Deploy): Launch {
  return {
    script: wish.script ?? script,
    args: wish.args ?? args,
    nodeArgs: wish.nodeArgs ?? nodeArgs,
    cwd: wish.cwd ?? cwd,
    env: wish.replaceEnv ? (wish.env ?? env) : { ...env, ...wish.env },
  };
}

function deployResolved(turn: Turn, { call, launch }: Request<"resolved">): void {
  const resolving = takeResolving(turn, call);
  if (!resolving) return;
  const obstacle = findObstacle(turn.state);
  if (obstacle) return refuse(turn, call, obstacle);
  const { id = "", workerCount = 0, timeout, drain } = resolving.deploy;
  const params = {
    id,
    launch,
    workerCount,
    ...(timeout === undefined ? {} : { timeout }),
    ...(drain === undefined ? {} : { drain }),
  };
  forward(turn, call, { client: resolving.client, kind: "deploy", deploy: id }, { method: "deploy", params });
}

function takeResolving(turn: Turn, call: number): { client: number; deploy: Deploy } | undefined {
  const resolving = new Map(turn.state.resolving);
  const found = resolving.get(call);
  resolving.delete(call);
  update(turn, { resolving });
  return found;
}

function pass(
  turn: Turn,
  { call, client }: { call: number; client: number },
  as: Pick<Forwarded, "kind" | "deploy">,
  method: "attachDeploy" | "abortDeploy",
): void {
  const obstacle = findObstacle(turn.state);
  if (obstacle) return refuse(turn, call, obstacle);
  const ask = method === "attachDeploy" ? { method, params: { deploy: as.deploy } } : { method, params: {} };
  forward(turn, call, { client, ...as }, ask);
}

function tellStatus(turn: Turn, { call, client }: Request<"status">): void {
  const { life, master } = turn.state;
  if (life === "empty") return refuse(turn, call, { error: "NotStarted" });
  if (master === "none") return reply(turn, call, describeMasterless(turn.state));
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
  if (answered) reply(turn, call, message.result);
  else refuse(turn, call, message.refusal);
}
