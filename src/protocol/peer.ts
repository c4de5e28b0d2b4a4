/** One end of a conversation: serves one contract, calls another, and validates whatever comes in. */
import {
  type CancellationToken,
  createMessageConnection,
  ErrorCodes,
  ParameterStructures,
  ResponseError,
} from "vscode-jsonrpc/node";
import type {
  CallContext,
  Client,
  Contract,
  Handle,
  Handlers,
  Methods,
  Notification,
  Request,
  Validation,
  Validator,
} from "./contract.js";
import { findErrorName, NaughtError } from "./errors.js";
import { createIntake } from "./intake.js";
import { explainErrors, type Problem, shorten } from "./problems.js";
import { carryHandle, findHandle, type Transport } from "./transport.js";

export interface Peer<C> {
  /** Calls the far side. A call rejects with a NaughtError, `Lost` when the connection ends before the answer. */
  readonly client: Client<C>;
  /** The listener is called once, also when the connection is closed already. */
  onClose(listener: () => void): void;
  close(): void;
}

export interface PeerOptions {
  /** Describes the protocol to who calls `rpc.discover`, as OpenRPC has it. */
  readonly discover?: () => unknown;
}

/** Begins to serve `served` on `transport` with `handlers`, and returns the client of `called`. */
export function connect<S, C>(
  transport: Transport,
  served: Contract<S>,
  handlers: Handlers<Contract<S>>,
  called: Contract<C>,
  { discover }: PeerOptions = {},
): Peer<Contract<C>> {
  const intake = createIntake(transport);
  const connection = createMessageConnection(intake.reader, intake.writer, silent, {
    messageStrategy: intake.strategy,
  });
  const dispatch = createDispatcher(served as Contract<Methods>, handlers as Record<string, Handler>);
  const serve = async (
    method: string,
    params: unknown,
    onCancel: CallContext["onCancel"],
  ): Promise<unknown> =>
    method === "rpc.discover" && discover ? discover() : dispatch(method, params, onCancel);
  let closed = false;
  const listeners: (() => void)[] = [];
  connection.onRequest((method: string, params: unknown, token: CancellationToken) =>
    serve(method, params, (listener) => {
      // A token that was cancelled before its call began tells nobody.
      if (token.isCancellationRequested) queueMicrotask(listener);
      else token.onCancellationRequested(listener);
    }),
  );
  connection.onNotification(
    (method: string, params: unknown) => void serve(method, params, () => {}).catch(() => {}),
  );
  connection.onError(() => {});
  connection.onClose(() => {
    closed = true;
    // The library never settles pending calls when the peer is gone; dispose does.
    connection.dispose();
    for (const listener of listeners.splice(0)) listener();
  });
  connection.listen();

  const call = async (
    method: string,
    result: Validator<unknown>,
    params: object,
    handle?: Handle,
  ): Promise<unknown> => {
    if (handle) carryHandle(params, handle);
    if (closed) throw new NaughtError("Lost");
    const answer = await connection
      .sendRequest(method, ParameterStructures.byName, params)
      .catch((error: unknown) => Promise.reject(translateError(error)));
    return accept(
      result(answer),
      "result",
      (text, data) => new NaughtError("InvalidAnswer", `${method}: ${text}`, data),
    );
  };
  const notify = (method: string, params: object): void => {
    if (!closed) connection.sendNotification(method, ParameterStructures.byName, params).catch(() => {});
  };
  const methods = Object.entries(called.methods as Methods).map(([name, declared]) => {
    const method = `${called.actor}/${name}`;
    return [
      name,
      declared.kind === "request"
        ? (params: object, handle?: Handle) => call(method, declared.result, params, handle)
        : (params: object) => notify(method, params),
    ];
  });
  return {
    client: Object.fromEntries(methods) as Client<Contract<C>>,
    onClose(listener) {
      if (closed) listener();
      else listeners.push(listener);
    },
    close: () => transport.close(),
  };
}

type Handler = (params: unknown, call: CallContext) => unknown;

function createDispatcher(
  served: Contract<Methods>,
  handlers: Record<string, Handler>,
): (method: string, params: unknown, onCancel: CallContext["onCancel"]) => Promise<unknown> {
  const declared = new Map<string, [Request<never, unknown> | Notification<never>, Handler]>();
  for (const [name, method] of Object.entries(served.methods)) {
    const handler = handlers[name];
    if (handler) declared.set(`${served.actor}/${name}`, [method, handler]);
  }
  return async (method, params, onCancel) => {
    const found = declared.get(method);
    if (!found)
      throw new ResponseError(ErrorCodes.MethodNotFound, `unknown method ${JSON.stringify(shorten(method))}`);
    const [{ params: validate }, handler] = found;
    const input = accept(
      checkNamed(params) ?? validate(isNothing(params) ? {} : params),
      "params",
      (text, data) => new ResponseError(ErrorCodes.InvalidParams, `${method}: ${text}`, data),
    );
    try {
      return (await handler(input, { handle: findHandle(params), onCancel })) ?? {};
    } catch (error) {
      if (error instanceof NaughtError) throw new ResponseError(error.code, error.message, error.data);
      throw error;
    }
  };
}

// Some libraries send null or an empty array for "no parameters".
function isNothing(params: unknown): boolean {
  return params === undefined || params === null || (Array.isArray(params) && params.length === 0);
}

function checkNamed(params: unknown): Validation<never> | undefined {
  if (!Array.isArray(params) || params.length === 0) return undefined;
  return { success: false, errors: [{ path: "", expected: "an object: parameters go by name" }] };
}

function accept<T>(
  validation: Validation<T>,
  whole: "params" | "result",
  refuse: (text: string, data: readonly Problem[]) => Error,
): T {
  if (validation.success) return validation.data;
  const problems = explainErrors(validation.errors, whole);
  throw refuse(problems.map(({ path, expected }) => `${path} should be ${expected}`).join("; "), problems);
}

function translateError(error: unknown): Error {
  if (!(error instanceof ResponseError)) return new NaughtError("Lost");
  const name = findErrorName(error.code);
  if (name) return new NaughtError(name, error.message, error.data);
  if (error.code === ErrorCodes.MethodNotFound) return new NaughtError("OlderPeer");
  const lost: readonly number[] = [
    ErrorCodes.PendingResponseRejected,
    ErrorCodes.ConnectionInactive,
    ErrorCodes.MessageWriteError,
  ];
  return lost.includes(error.code) ? new NaughtError("Lost") : error;
}

const silent = { error() {}, warn() {}, info() {}, log() {} };
