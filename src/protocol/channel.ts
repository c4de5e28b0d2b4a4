/** JSON-RPC over a Node process channel. The application's own messages travel there too, so ours are wrapped. */
import { admit } from "./admission.js";
import type { Handle } from "./contract.js";
import type { Message } from "./message.js";
import { carryHandle, findHandle, findPayload, Reader, type Transport } from "./transport.js";

/** What a wrapped message looks like on a process channel. */
export interface Wrapped {
  readonly naught: 1;
  readonly rpc: Message;
}

/** What came in, before anybody looked into it: the application can send whatever it likes. */
interface Unchecked {
  readonly rpc?: unknown;
}

/** A process's end of a channel: `process`, a ChildProcess, or a cluster Worker's process. */
export interface ChannelEnd {
  send?:
    | ((
        message: Wrapped,
        handle: never,
        options: { keepOpen: boolean },
        callback: (error: Error | null) => void,
      ) => boolean)
    | undefined;
  disconnect?: (() => void) | undefined;
  on(name: "message", listener: (message: unknown, handle: Handle | undefined) => void): unknown;
  on(name: "disconnect" | "exit", listener: () => void): unknown;
  on(name: "error", listener: (error: Error) => void): unknown;
}

export function isWrapped(message: unknown): message is Wrapped {
  return typeof message === "object" && message !== null && (message as Partial<Wrapped>).naught === 1;
}

/** Milliseconds. */
const disconnectPatience = 500;

/** `closeEnd` says how to end the channel; by default it is disconnected. */
export function openChannel(end: ChannelEnd, closeEnd = disconnect): Transport {
  const reader = new Reader();
  const pending = { sends: 0, close: false };
  const finish = (): void => {
    if (pending.close && pending.sends === 0) closeEnd(end);
  };
  const write = (message: Message, failed?: () => void): void => {
    pending.sends += 1;
    send(end, { naught: 1, rpc: message }, findHandle(findPayload(message)), (error) => {
      pending.sends -= 1;
      if (error) failed?.();
      finish();
    });
  };
  end.on("message", (message, handle) => {
    if (!isWrapped(message)) return;
    const admission = admit((message as Unchecked).rpc);
    const payload = "message" in admission ? findPayload(admission.message) : undefined;
    if (handle && typeof payload === "object" && payload !== null) carryHandle(payload, handle);
    else if (handle) closeHandle(handle);
    if ("message" in admission) reader.receive(admission.message);
    else write(admission.refusal);
  });
  end.on("disconnect", () => reader.close());
  // What a peer wrote last may come after the news of its exit. `disconnect` never comes when it died before it had
  // acknowledged a descriptor.
  end.on("exit", () => setTimeout(() => reader.close(), disconnectPatience));
  // A send to a closing channel raises EPIPE here, also when it has a callback.
  end.on("error", () => {});
  const close = (): void => {
    pending.close = true;
    finish();
  };
  return { reader, send: write, close, drop: close };
}

function send(
  end: ChannelEnd,
  message: Wrapped,
  handle: Handle | undefined,
  callback: (error: Error | null) => void,
): void {
  if (!end.send) return callback(new Error("the channel is closed"));
  try {
    end.send(message, handle as never, { keepOpen: true }, callback);
  } catch (error) {
    callback(error as Error);
  }
}

function disconnect(end: ChannelEnd): void {
  try {
    end.disconnect?.();
  } catch {
    // Already disconnected.
  }
}

// Nobody will ever ask for a descriptor that belongs to no payload.
function closeHandle(handle: Handle): void {
  (handle as { close?: () => void }).close?.();
}
