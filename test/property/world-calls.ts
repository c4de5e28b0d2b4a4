/** The observer's side of the calls: which answer each of them must get. */
import type { CallId, Message, Result } from "../../src/actors/master/pool/state.js";
import type { ErrorName } from "../../src/protocol/errors.js";
import { countSeen, findSituation, type Model } from "./world-model.js";
import { hold } from "./world-promises.js";

export function hearReply(model: Model, call: CallId, result: Result): void {
  const asked = take(model, call);
  sameCounts(model, asked, result);
  switch (asked.type) {
    case "start":
      return hold(isTrueStart(model, asked, result), "truth", () => `start: ${JSON.stringify(result)}`);
    case "deploy":
    case "attachDeploy":
      return checkSettled(model, asked.id, result);
    case "abortDeploy":
      return checkSettled(model, model.lastDeploy, result);
    case "stop":
      return hold(model.workers.size === 0, "truth", () => "a stop is answered while workers live");
    case "status":
      return checkStatus(model, result);
    default:
      throw new Error(`a call of type ${asked.type}`);
  }
}

function take(model: Model, call: CallId): Message {
  const asked = model.pending.get(call);
  hold(asked !== undefined, "answers", () => `call ${call} is answered twice, or was never made`);
  model.pending.delete(call);
  return asked;
}

/** The answer of a deploy that ended long ago may tell the counts of then. */
function sameCounts(model: Model, asked: Message, result: Result): void {
  if (asked.type !== "start" && asked.type !== "abortDeploy") return;
  const lives = JSON.stringify(countSeen(model));
  const { counts } = result;
  hold(
    JSON.stringify(counts) === lives,
    "counts",
    () => `answered ${JSON.stringify(counts)}, there are ${lives}`,
  );
}

function isTrueStart(model: Model, { resume }: Extract<Message, { type: "start" }>, result: Result): boolean {
  if (!("outcome" in result)) return false;
  const failing = model.rollout?.failing != null;
  if (model.stopping && !failing) return result.outcome === "stopped" && result.failed !== undefined;
  if (model.serving) return result.outcome === "ready" && (resume || model.rollout === null);
  return (
    result.outcome === "failed" &&
    result.failed?.worker !== undefined &&
    (model.stopping || model.workers.size === 0)
  );
}

function checkSettled(model: Model, id: string | null, result: Result): void {
  const told = model.outcomes.get(id ?? "");
  const settled = "deploy" in result && "killed" in result ? result : undefined;
  hold(told !== undefined, "answers", () => `${id} is answered while it is in flight`);
  const same = settled?.deploy === id && settled.outcome === told.outcome && settled.killed === told.killed;
  const explained = (settled?.failed !== undefined) === (told.outcome === "failed");
  hold(
    same && explained,
    "truth",
    () => `answered ${JSON.stringify(result)}, was ${JSON.stringify(told)} for ${id}`,
  );
}

function checkStatus(model: Model, result: Result): void {
  const situation = findSituation(model);
  const phase =
    situation === "nothing" || situation.endsWith("boot")
      ? "booting"
      : situation === "rest" || situation === "back-off"
        ? "online"
        : situation === "stop" || situation === "end"
          ? "stopping"
          : "deploying";
  const lives = countSeen(model);
  const same = "phase" in result && result.phase === phase && result.workers.length === model.workers.size;
  hold(same, "truth", () => `status in ${situation}: ${JSON.stringify(result)}`);
  hold(JSON.stringify(result.counts) === JSON.stringify(lives), "counts", () => `status in ${situation}`);
  const deploy = model.stopping || model.rollout?.kind !== "deploy" ? undefined : model.rollout.id;
  hold(
    result.deploy === deploy,
    "truth",
    () => `status names deploy ${result.deploy}, in flight is ${deploy}`,
  );
}

export function hearRefuse(model: Model, call: CallId, error: ErrorName, cause: Message): void {
  const asked = take(model, call);
  hold(asked === cause, "answers", () => `a ${asked.type} is refused late, by ${error}`);
  const expected = findRefusal(model, asked);
  hold(error === expected, "truth", () => `${asked.type} is refused by ${error}, expected ${expected}`);
}

function findRefusal(model: Model, asked: Message): ErrorName | undefined {
  const situation = findSituation(model);
  const inFlight = situation === "booting" || situation === "destroying" || situation === "leaving";
  switch (asked.type) {
    case "start":
      return "AlreadyRunning";
    case "deploy":
      if (inFlight) return model.rollout?.id === asked.id ? undefined : "DeployInProgress";
      if (situation === "nothing") return "NotStarted";
      if (situation.endsWith("boot")) return "StillBooting";
      return situation === "stop" || situation === "end" ? "ShuttingDown" : undefined;
    case "attachDeploy":
      if (inFlight && model.rollout?.id === asked.id) return undefined;
      return asked.id === model.lastDeploy ? undefined : "UnknownDeploy";
    case "abortDeploy":
      return inFlight ? undefined : "NoDeployInProgress";
    default:
      return undefined;
  }
}
