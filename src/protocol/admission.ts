/** What may come in at all: the check that every message passes before anybody acts on it. */
import { protocolErrorTable } from "./errors.js";
import { fail, type Message, type MessageId, type Response } from "./message.js";

/** `refusal` is the error to be answered. */
export type Admission = { readonly message: Message } | { readonly refusal: Response };

/** After this a message is a request (its id a string, a number or null), a notification or a response. */
export function admit(value: unknown): Admission {
  if (typeof value !== "object" || value === null) return refuse(null, "a message is a JSON object");
  if (Array.isArray(value)) return refuse(null, "a message is one JSON object, not an array");
  const { jsonrpc, id, method, result, error } = value as Record<string, unknown>;
  if (id !== undefined && id !== null && typeof id !== "string" && typeof id !== "number") {
    return refuse(null, "an id is a string or a number");
  }
  // Without a method it may be meant as an answer: an error with its id would be taken for one, too.
  const to = method === undefined ? null : (id ?? null);
  if (jsonrpc !== "2.0") return refuse(to, 'a message has "jsonrpc": "2.0"');
  if (typeof method === "string") return { message: value as Message };
  if (method !== undefined) return refuse(to, "a method is a string");
  const isAnswer = id !== undefined && (result !== undefined || Boolean(error));
  return isAnswer
    ? { message: value as Message }
    : refuse(null, "a message has a method, or a result, or an error");
}

export function refuse(
  id: MessageId,
  text: string,
  kind: keyof typeof protocolErrorTable = "InvalidRequest",
): { refusal: Response } {
  return { refusal: fail(id, protocolErrorTable[kind].code, text) };
}
