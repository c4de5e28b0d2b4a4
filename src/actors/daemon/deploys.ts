/** Deploys on their way through the daemon: wished, resolved, handed to the master, cancelled, remembered. Pure. */
import type { Deploy, Launch, LimitChanges, Limits, MasterSettled, Settled } from "../../protocol/types.js";
import { reviveMaster } from "./life.js";
import { findObstacle, findRefusal } from "./obstacle.js";
import { type CallId, type Daemon, type Forwarded, type Message, ownCall } from "./state.js";
import { askMaster, forward, refuse, reply, type Turn, update } from "./turn.js";

/** How many deploys' results are kept for clients that ask again. */
const keptResults = 20;

type Request<T extends Message["type"]> = Extract<Message, { type: T }>;

export function deploy(turn: Turn, { call, client, deploy: wish }: Request<"deploy">): void {
  const { id = "" } = wish;
  const known = turn.state.settled.find((each) => each.deploy === id);
  if (known) return reply(turn, call, known);
  const { serving } = turn.state;
  const obstacle = findRefusal(turn.state);
  if (obstacle || !serving) return refuse(turn, call, obstacle ?? { error: "StillBooting" });
  if (isInFlight(turn.state, id)) {
    return attach(turn, call, { client, kind: "deploy", deploy: id });
  }
  update(turn, { resolving: new Map(turn.state.resolving).set(call, { client, deploy: wish }) });
  turn.effects.push({ type: "resolve", call, launch: applyWish(serving.launch, wish) });
}

/** Waits for the end of a deploy. The master is asked once, however many wait. */
export function attach(turn: Turn, call: CallId, as: Forwarded): void {
  const { forwarded } = turn.state;
  const { deploy: id } = as;
  if ([...forwarded.values()].some(({ attaches, deploy }) => attaches === true && deploy === id)) {
    return update(turn, { forwarded: new Map(forwarded).set(call, { ...as, joins: true }) });
  }
  forward(turn, call, { ...as, attaches: true }, { method: "attachDeploy", params: { deploy: id } });
}

/** What the master says to one who attached goes for all. */
export function answerJoined(
  turn: Turn,
  id: string,
  message: Request<"masterAnswered"> | Request<"masterRefused">,
): void {
  const forwarded = new Map(turn.state.forwarded);
  for (const [call, { joins, deploy }] of turn.state.forwarded) {
    if (!joins || deploy !== id) continue;
    forwarded.delete(call);
    if (message.type === "masterAnswered") reply(turn, call, message.result);
    else refuse(turn, call, message.refusal);
  }
  update(turn, { forwarded });
}

// Its paths need not be there any more when it is asked for again.
function isInFlight({ forwarded }: Daemon, id: string): boolean {
  return [...forwarded.values()].some(({ kind, deploy }) => kind === "deploy" && deploy === id);
}

function applyWish({ script, args, nodeArgs, env, cwd, limits }: Launch, wish: Deploy): Launch {
  return {
    script: wish.script ?? script,
    args: wish.args ?? args,
    nodeArgs: wish.nodeArgs ?? nodeArgs,
    cwd: wish.cwd ?? cwd,
    env: wish.replaceEnv ? (wish.env ?? env) : { ...env, ...wish.env },
    ...changeLimits(limits, wish.limits),
  };
}

function changeLimits(limits: Limits = {}, changes: LimitChanges = {}): { limits?: Limits } {
  const { hang = limits.hang, memory = limits.memory } = changes;
  const changed = { ...(hang != null && { hang }), ...(memory != null && { memory }) };
  return Object.keys(changed).length > 0 ? { limits: changed } : {};
}

export function deployResolved(turn: Turn, { call, launch }: Request<"resolved">): void {
  const resolving = takeResolving(turn, call);
  if (!resolving) return;
  // A new release may be what masters that die again and again have been waiting for.
  reviveMaster(turn);
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

export function takeResolving(turn: Turn, call: CallId): { client: number; deploy: Deploy } | undefined {
  const resolving = new Map(turn.state.resolving);
  const found = resolving.get(call);
  resolving.delete(call);
  update(turn, { resolving });
  return found;
}

/** Aborts the deploy that the call began; any other call goes on as if nothing had been said. */
export function cancel(turn: Turn, call: CallId): void {
  const { counts, forwarded } = turn.state;
  const resolving = turn.state.resolving.get(call);
  if (resolving) {
    takeResolving(turn, call);
    return reply(turn, call, { deploy: resolving.deploy.id ?? "", outcome: "aborted", counts, killed: 0 });
  }
  const found = forwarded.get(call);
  if (found?.kind !== "deploy" || turn.state.master !== "alive") return;
  // By its id: it may have ended meanwhile, and another one have begun.
  askMaster(turn, ownCall, { method: "abortDeploy", params: { deploy: found.deploy } });
}

export function rememberSettled(turn: Turn, result: MasterSettled | Settled): void {
  const others = turn.state.settled.filter(({ deploy }) => deploy !== result.deploy);
  update(turn, { settled: [...others, result].slice(-keptResults) });
}
