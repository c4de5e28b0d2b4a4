/** What a client of a restricted bridge may send: which methods, and which parameters of a deploy. */
import { Daemon } from "../../protocol/daemon.js";
import { errorTable } from "../../protocol/errors.js";
import { type Call, fail, type MessageId, type Response } from "../../protocol/message.js";

/** `start` is served on no socket at all, and `lifeline` is for the server's own workers. */
type Inner = "start" | "lifeline";

export type Method = Exclude<keyof typeof Daemon.methods, Inner>;

/** What may be named behind `--allow`. */
export const methods = (Object.keys(Daemon.methods) as (keyof typeof Daemon.methods)[]).filter(
  (name): name is Method => name !== "start" && name !== "lifeline",
);

export type Judgement =
  /** To be sent on; `dropped` names the parameters that it was relieved of. */
  | { readonly verdict: "pass"; readonly message: Call; readonly dropped: readonly string[] }
  /** `answer` is the refusal, where the message asks for one. */
  | { readonly verdict: "refuse"; readonly answer: Response | undefined };

/** Judges a call that has passed `admit`. */
export function judge(message: Call, allowed: ReadonlySet<Method>): Judgement {
  const { id, method, params } = message;
  // It aborts a deploy, which may be somebody else's: whoever sends a deploy with the same id has joined that one.
  if (method === "$/cancelRequest" && id === undefined && allowed.has("abortDeploy")) {
    return { verdict: "pass", message, dropped: [] };
  }
  if (!isAllowed(method, allowed)) return { verdict: "refuse", answer: refuse(id, method) };
  return method === "daemon/deploy" ? relieve(message, params) : { verdict: "pass", message, dropped: [] };
}

function isAllowed(method: string, allowed: ReadonlySet<Method>): boolean {
  const name = methods.find((each) => method === `daemon/${each}`);
  if (name === undefined) return false;
  // A client has to know whom it speaks to; and who may deploy may see how that ends.
  return allowed.has(name) || name === "hello" || (name === "attachDeploy" && allowed.has("deploy"));
}

// These are named, not the forbidden ones: what a later version adds is left out until somebody has thought about it.
const harmless = ["id", "workerCount", "timeout", "drain", "limits"];

/** Whoever may choose the script, its arguments, environment or directory may run any code. */
function relieve(message: Call, params: unknown): Judgement {
  if (typeof params !== "object" || params === null || Array.isArray(params)) {
    return { verdict: "pass", message, dropped: [] };
  }
  const entries = Object.entries(params);
  const kept = entries.filter(([name]) => harmless.includes(name));
  const dropped = entries.map(([name]) => name).filter((name) => !harmless.includes(name));
  return { verdict: "pass", message: { ...message, params: Object.fromEntries(kept) }, dropped };
}

function refuse(id: MessageId | undefined, method: string): Response | undefined {
  if (id === undefined) return undefined;
  const name = JSON.stringify(method.slice(0, 200));
  return fail(id, errorTable.NotAllowed.code, `${name} is not allowed on this connection`);
}
