/** What carries messages between two peers, and the simplest such thing: a pair within one process. */
import { AbstractMessageReader, AbstractMessageWriter, type Message } from "vscode-jsonrpc/node";
import type { Handle } from "./contract.js";

/** One end of a connection. Both directions end together. */
export interface Transport {
  readonly reader: Reader;
  readonly writer: Writer;
  /** Ends the connection once all that was written has been handed over; idempotent. */
  close(): void;
}

/** Hands incoming messages to the one who listens, and counts those that are not dealt with yet. */
export class Reader extends AbstractMessageReader {
  #callback: ((message: Message) => void) | undefined;
  #early: Message[] = [];
  #closed = false;
  #inHand = 0;
  /** Called when a message has been dealt with: a request is answered, anything else handled. */
  onSettle: () => void = () => {};

  get inHand(): number {
    return this.#inHand;
  }

  get closed(): boolean {
    return this.#closed;
  }

  listen(callback: (message: Message) => void): { dispose(): void } {
    this.#callback = callback;
    for (const message of this.#early.splice(0)) callback(message);
    return { dispose: () => {} };
  }

  receive(message: Message): void {
    this.#inHand += 1;
    if (this.#callback) this.#callback(message);
    else this.#early.push(message);
  }

  settle(): void {
    this.#inHand -= 1;
    this.onSettle();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.fireClose();
  }
}

/** Hands outgoing messages to a `send` function, in order. */
export class Writer extends AbstractMessageWriter {
  readonly #send: (message: Message) => Promise<void>;

  constructor(send: (message: Message) => Promise<void>) {
    super();
    this.#send = send;
  }

  write(message: Message): Promise<void> {
    return this.#send(message);
  }

  end(): void {}
}

/** Two transports, each the other's far end, within one process. */
export function createPair(): [Transport, Transport] {
  const readers = [new Reader(), new Reader()] as const;
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    queueMicrotask(() => {
      for (const reader of readers) reader.close();
    });
  };
  const end = (near: Reader, far: Reader): Transport => ({
    reader: near,
    writer: new Writer(async (message) => {
      if (!open) throw new Error("the connection is closed");
      // A copy, as on any wire: neither side may see the other's later changes.
      const copy = JSON.parse(JSON.stringify(message)) as Message;
      moveHandle(message, copy);
      queueMicrotask(() => far.receive(copy));
    }),
    close,
  });
  return [end(readers[0], readers[1]), end(readers[1], readers[0])];
}

// A descriptor cannot be part of a JSON message, so it is remembered beside the parameters or the result it belongs to.
const carried = new WeakMap<object, Handle>();

/** Sends `handle` along with the message whose parameters or result `payload` is. */
export function carryHandle(payload: object, handle: Handle): void {
  carried.set(payload, handle);
}

export function findHandle(payload: unknown): Handle | undefined {
  return typeof payload === "object" && payload !== null ? carried.get(payload) : undefined;
}

/** The parameters or the result of a message. */
export function findPayload(message: Message): unknown {
  return "params" in message ? message.params : "result" in message ? message.result : undefined;
}

function moveHandle(from: Message, to: Message): void {
  const handle = findHandle(findPayload(from));
  const payload = findPayload(to);
  if (handle && typeof payload === "object" && payload !== null) carryHandle(payload, handle);
}
