/** The calling side of a connection: numbers calls, finds the call of each answer, and gives up those that are lost. */
import type { Handle, Validator } from "./contract.js";
import { findErrorName, NaughtError, protocolErrorTable } from "./errors.js";
import type { RemoteFailure, Response } from "./message.js";
import { explainErrors, joinProblems } from "./problems.js";
import { carryHandle, type Transport } from "./transport.js";

export interface Caller {
  call(method: string, result: Validator<unknown>, params: object, handle?: Handle): Promise<unknown>;
  /** An answer that nobody waits for is ignored. */
  take(response: Response): void;
  /** No answer will come any more. */
  loseAll(): void;
}

/** An error with a code that is not naught's. */
export class RemoteError extends Error {
  override readonly name = "RemoteError";
  readonly code: number;
  readonly data: unknown;

  constructor({ code, message, data }: RemoteFailure) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

interface Waiting {
  readonly method: string;
  readonly result: Validator<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export function createCaller(transport: Transport): Caller {
  const waiting = new Map<unknown, Waiting>();
  /** Why the far side ends the connection, if it has said so. */
  let farewell: NaughtError | undefined;
  let last = 0;
  return {
    call: (method, result, params, handle) =>
      new Promise((resolve, reject) => {
        if (handle) carryHandle(params, handle);
        last += 1;
        const id = last;
        waiting.set(id, { method, result, resolve, reject });
        transport.send({ jsonrpc: "2.0", id, method, params }, () => {
          if (waiting.delete(id)) reject(new NaughtError("Lost"));
        });
      }),
    take(response) {
      const found = waiting.get(response.id);
      if (response.id === null && response.error) {
        const error = translate(response.error);
        if (error instanceof NaughtError) farewell = error;
      }
      if (!found || !waiting.delete(response.id)) return;
      if (response.error) found.reject(translate(response.error));
      else settle(found, response.result);
    },
    loseAll() {
      for (const { reject } of waiting.values()) reject(farewell ?? new NaughtError("Lost"));
      waiting.clear();
    },
  };
}

function settle({ method, result, resolve, reject }: Waiting, answer: unknown): void {
  const validation = result(answer);
  if (validation.success) return resolve(validation.data);
  const problems = explainErrors(validation.errors, "result");
  reject(new NaughtError("InvalidAnswer", `${method}: ${joinProblems(problems)}`, problems));
}

function translate(failure: RemoteFailure): Error {
  const name = findErrorName(failure.code);
  if (name) return new NaughtError(name, failure.message, failure.data);
  if (failure.code === protocolErrorTable.MethodNotFound.code) return new NaughtError("OlderPeer");
  return new RemoteError(failure);
}
