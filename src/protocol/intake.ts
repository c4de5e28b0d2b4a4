/**
 * What stands between a transport and the JSON-RPC library: it lets through only what the library can bear, and
 * holds the end of the connection back until everything that came before it has been handled.
 */
import {
  Message,
  type MessageStrategy,
  type NotificationMessage,
  type RequestMessage,
  type ResponseMessage,
} from "vscode-jsonrpc/node";
import { Reader, type Transport, Writer } from "./transport.js";

export interface Intake {
  readonly reader: Reader;
  readonly writer: Writer;
  /** To be given to the library, which tells by it what it takes from its queue. */
  readonly strategy: MessageStrategy;
}

export function createIntake(transport: Transport): Intake {
  const reader = new Reader();
  const outgoing = new Set<string | number | null>();
  // Clients number their requests as they like. The library loses one of two that wait under one id, takes 1 for "1",
  // and throws at null: it gets numbers of ours.
  const ids = new Map<number, string | number | null>();
  let lastId = 0;
  let queued = 0;
  let ended = false;
  const pass = (message: Message): void => {
    queued += 1;
    reader.receive(message);
  };
  // Not before whoever awaits the last answer has heard it, which takes microtasks.
  const closeWhenHandled = (): void => {
    if (ended && queued === 0) setImmediate(() => reader.close());
  };
  const end = (): void => {
    ended = true;
    closeWhenHandled();
  };
  transport.reader.onClose(end);
  if (transport.reader.closed) queueMicrotask(end);
  transport.reader.listen((message) => {
    if (isRequest(message)) {
      lastId += 1;
      ids.set(lastId, message.id);
      return pass({ ...message, id: lastId } as Message);
    }
    const cancelled = isCancel(message) ? findCancelled(message, ids) : undefined;
    // Not counted: the library may deal with it on the spot.
    if (cancelled !== undefined) reader.receive({ ...message, params: { id: cancelled } } as Message);
    const known = Message.isResponse(message) ? outgoing.delete(message.id) : !isLibrarys(message);
    if (known) pass(message);
    else transport.reader.settle();
  });
  return {
    reader,
    writer: new Writer((message) => {
      if (Message.isRequest(message)) outgoing.add(message.id);
      return transport.writer.write(Message.isResponse(message) ? restoreId(message, ids) : message);
    }),
    strategy: {
      async handleMessage(message, next) {
        if (isCancel(message)) return next(message);
        queued -= 1;
        try {
          const handled = next(message);
          closeWhenHandled();
          await handled;
        } finally {
          transport.reader.settle();
        }
      },
    },
  };
}

function restoreId(response: ResponseMessage, ids: Map<number, string | number | null>): Message {
  const internal = response.id as number;
  const id = ids.get(internal) ?? null;
  ids.delete(internal);
  return { ...response, id } as Message;
}

function isRequest(message: Message): message is RequestMessage {
  return "method" in message && "id" in message && message.id !== undefined;
}

/** Our number of the call that is not wanted any more; undefined for one that is over, or never was. */
function findCancelled(
  { params }: NotificationMessage,
  ids: ReadonlyMap<number, string | number | null>,
): number | undefined {
  const id: unknown = (params as { id?: unknown } | null | undefined)?.id;
  if (typeof id !== "string" && typeof id !== "number") return undefined;
  return [...ids].findLast(([, theirs]) => theirs === id)?.[0];
}

function isCancel(message: Message): message is NotificationMessage {
  return Message.isNotification(message) && message.method === "$/cancelRequest";
}

// The library handles some "$/" notifications itself, by looking into params that need not be there.
// They may be ignored by anybody, says the base protocol.
function isLibrarys(message: Message): boolean {
  return Message.isNotification(message) && message.method.startsWith("$/");
}
