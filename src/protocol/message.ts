/** The messages of JSON-RPC 2.0, as they are once `admit` has let them in. */

export type MessageId = string | number | null;

/** A request, or a notification when it has no id. */
export interface Call {
  readonly jsonrpc: "2.0";
  readonly id?: MessageId;
  readonly method: string;
  readonly params?: unknown;
}

export interface Response {
  readonly jsonrpc: "2.0";
  readonly id: MessageId;
  readonly result?: unknown;
  readonly error?: RemoteFailure;
}

export interface RemoteFailure {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export type Message = Call | Response;

export function isCall(message: Message): message is Call {
  return "method" in message;
}

/** False for a notification: nobody waits for its answer. */
export function isRequest(message: Message): message is Call & { readonly id: MessageId } {
  return "method" in message && message.id !== undefined;
}

export function fail(id: MessageId, code: number, message: string, data?: unknown): Response {
  return { jsonrpc: "2.0", id, error: data === undefined ? { code, message } : { code, message, data } };
}
