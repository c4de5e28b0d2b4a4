/** The serving side of a connection: finds the handler of each call, validates its parameters, and answers it once. */
import type { CallContext, Contract, Handle, Methods, Validator } from "./contract.js";
import { NaughtError, protocolErrorTable } from "./errors.js";
import { type Call, fail, type MessageId, type Response } from "./message.js";
import { explainErrors, joinProblems, shorten } from "./problems.js";
import { findHandle, type Transport } from "./transport.js";

export interface PeerOptions {
  /** Describes the protocol to who calls `rpc.discover`, as OpenRPC has it. */
  readonly discover?: () => unknown;
}

export interface Callee {
  /** `answer` is where the answer goes, when that is not simply the transport. */
  take(call: Call, answer?: (response: Response) => void): void;
  /** Nobody is there any more to be answered. */
  loseAll(): void;
}

type Handler = (params: unknown, call: CallContext) => unknown;

interface Served {
  readonly validate: Validator<unknown>;
  readonly handler: Handler;
}

export function createCallee(
  transport: Transport,
  { actor, methods }: Contract<Methods>,
  handlers: object,
  { discover }: PeerOptions,
): Callee {
  const served = new Map<string, Served>();
  for (const [name, { params: validate }] of Object.entries(methods)) {
    const handler = (handlers as Readonly<Record<string, Handler>>)[name];
    if (handler) served.set(`${actor}/${name}`, { validate, handler });
  }
  if (discover)
    served.set("rpc.discover", { validate: (data) => ({ success: true, data }), handler: discover });
  const inquiries = new Set<Inquiry>();

  return {
    take(call, answer = transport.send) {
      const { id, method, params } = call;
      if (method.startsWith("$/") && id === undefined) {
        // Nobody has to understand these, says the base protocol.
        if (method === "$/cancelRequest") cancel(inquiries, params);
        return transport.reader.settle(call);
      }
      const respond = (make: (id: MessageId) => Response): void => {
        if (id !== undefined) answer(make(id));
        transport.reader.settle(call);
      };
      const found = served.get(method);
      if (!found) return respond((to) => refuseUnknown(to, method));
      const validation = checkNamed(params) ?? found.validate(isNothing(params) ? {} : params);
      if (!validation.success) return respond((to) => refuseParams(to, method, validation.errors));
      const inquiry = new Inquiry(id, findHandle(params));
      const resolve = (result: unknown): void =>
        respond((to) => ({ jsonrpc: "2.0", id: to, result: result ?? {} }));
      const reject = (error: unknown): void => respond((to) => describeFailure(to, method, error));
      let result: unknown;
      try {
        result = found.handler(validation.data, inquiry);
      } catch (error) {
        return reject(error);
      }
      if (!(result instanceof Promise)) return resolve(result);
      inquiries.add(inquiry);
      result.then(resolve, reject).finally(() => inquiries.delete(inquiry));
    },
    loseAll() {
      for (const inquiry of inquiries) inquiry.lose();
    },
  };
}

/** One call in flight, as its handler sees it. */
class Inquiry implements CallContext {
  readonly id: MessageId | undefined;
  readonly handle: Handle | undefined;
  #cancelled = false;
  #listener: (() => void) | undefined;
  #lost: (() => void) | undefined;

  constructor(id: MessageId | undefined, handle: Handle | undefined) {
    this.id = id;
    this.handle = handle;
  }

  // Bound, because handlers take it out of the context.
  readonly onCancel = (listener: () => void): void => {
    this.#listener = listener;
    if (this.#cancelled) queueMicrotask(listener);
  };

  readonly onGone = (listener: () => void): void => {
    this.#lost = listener;
  };

  lose(): void {
    this.#lost?.();
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#listener?.();
  }
}

/** A call that is over, or never was, is nobody's; of two with one id the later one is meant. */
function cancel(inquiries: ReadonlySet<Inquiry>, params: unknown): void {
  const id: unknown = (params as { id?: unknown } | null | undefined)?.id;
  if (typeof id !== "string" && typeof id !== "number") return;
  [...inquiries].findLast((inquiry) => inquiry.id === id)?.cancel();
}

// Some libraries send null or an empty array for "no parameters".
function isNothing(params: unknown): boolean {
  return params === undefined || params === null || (Array.isArray(params) && params.length === 0);
}

function checkNamed(params: unknown): ReturnType<Validator<never>> | undefined {
  if (!Array.isArray(params) || params.length === 0) return undefined;
  return { success: false, errors: [{ path: "", expected: "an object: parameters go by name" }] };
}

function refuseUnknown(id: MessageId, method: string): Response {
  const name = JSON.stringify(shorten(method));
  return fail(id, protocolErrorTable.MethodNotFound.code, `unknown method ${name}`);
}

function refuseParams(id: MessageId, method: string, errors: Parameters<typeof explainErrors>[0]): Response {
  const problems = explainErrors(errors, "params");
  return fail(id, protocolErrorTable.InvalidParams.code, `${method}: ${joinProblems(problems)}`, problems);
}

function describeFailure(id: MessageId, method: string, error: unknown): Response {
  if (error instanceof NaughtError) return fail(id, error.code, error.message, error.data);
  const words = error instanceof Error ? error.message : String(error);
  return fail(id, protocolErrorTable.InternalError.code, `${method} failed: ${shorten(words)}`);
}
