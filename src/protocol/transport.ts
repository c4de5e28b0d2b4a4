/** What carries messages between two peers, and the simplest such thing: a pair within one process. */
import type { Handle } from "./contract.js";
import type { Message, Response } from "./message.js";

/** One end of a connection. Both directions end together. */
export interface Transport {
  readonly reader: Reader;
  /** Sends in order; `failed` is called when the message cannot be handed over any more. */
  send(message: Message, failed?: () => void): void;
  /** Ends the connection once all that was sent has been handed over; idempotent. */
  close(): void;
  /** Ends it with an error that says why, where there is a way to say it. */
  drop(why: string): void;
}

/** `answer` is where the answer to a request goes, when that is not simply `send`: a part of a batch. */
export type Take = (message: Message, answer?: (response: Response) => void, cost?: number) => void;

/** Hands incoming messages to the one who listens, and counts those that are not dealt with yet. */
export class Reader {
  #take: Take | undefined;
  #early: Parameters<Take>[] = [];
  #closed = false;
  #inHand = 0;
  #held = 0;
  readonly #costs = new Map<Message, number>();
  readonly #closeListeners: (() => void)[] = [];
  /** Called when a message has been dealt with: a request is answered, anything else handled. */
  onSettle: () => void = () => {};

  get inHand(): number {
    return this.#inHand;
  }

  /** What the messages in hand cost, in bytes. */
  get held(): number {
    return this.#held;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whoever listens has to call `settle` once for each message, when nothing holds it any more. */
  listen(take: Take): void {
    this.#take = take;
    for (const each of this.#early.splice(0)) take(...each);
  }

  readonly receive: Take = (message, answer, cost = 0) => {
    this.#inHand += 1;
    this.#held += cost;
    this.#costs.set(message, cost);
    if (this.#take) this.#take(message, answer);
    else this.#early.push([message, answer]);
  };

  settle(message: Message): void {
    this.#inHand -= 1;
    this.#held -= this.#costs.get(message) ?? 0;
    this.#costs.delete(message);
    this.onSettle();
  }

  /** Called once, when nothing more will come. */
  onClose(listener: () => void): void {
    if (this.#closed) queueMicrotask(listener);
    else this.#closeListeners.push(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#closeListeners.splice(0)) listener();
  }
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
    send(message, failed) {
      if (!open) return failed?.();
      // A copy, as on any wire: neither side may see the other's later changes.
      const copy = JSON.parse(JSON.stringify(message)) as Message;
      moveHandle(message, copy);
      queueMicrotask(() => far.receive(copy));
    },
    close,
    drop: close,
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
