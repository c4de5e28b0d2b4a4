/** JSON-RPC over a stream, a socket or a pair of pipes, framed by the base protocol of LSP: a `Content-Length` header, then UTF-8 JSON. */
import type { Duplex } from "node:stream";
import { admit, refuse } from "./admission.js";
import { takeBatch } from "./batch.js";
import { createDecoder, FrameError } from "./decoder.js";
import { parseText } from "./json-text.js";
import type { Message } from "./message.js";
import { Reader, type Transport } from "./transport.js";

/** What one connection may cost. */
export interface Limits {
  /** Bytes of a message's header. */
  readonly header: number;
  /** Bytes of a message's body. */
  readonly message: number;
  /** How deep arrays and objects may be nested in a message. */
  readonly depth: number;
  /** How many values a message may have. */
  readonly values: number;
  /** How many messages a batch may have. */
  readonly batch: number;
  /** Seconds from the first byte of a message to its last. */
  readonly seconds: number;
  /** Messages that are not dealt with yet; beyond it the connection is not read until one is. */
  readonly inHand: number;
  /** Bytes of output that the client has not read; beyond it the connection is not read until it has. */
  readonly unread: number;
  /** Bytes of output that the client has not read; beyond it the connection is dropped. */
  readonly queued: number;
  /** Seconds that a client has to close its end after naught has closed its own. */
  readonly linger: number;
}

export const limits: Limits = {
  header: 4 * 1024,
  message: 4 * 1024 * 1024,
  depth: 64,
  values: 100_000,
  batch: 100,
  seconds: 30,
  inHand: 1000,
  unread: 8 * 1024 * 1024,
  queued: 16 * 1024 * 1024,
  linger: 5,
};

/**
 * A message that is no valid JSON-RPC is answered with an error, and the connection goes on. What is not framed
 * is answered, too, but then the connection is closed: nobody knows where the next message begins.
 */
export function openFrames(socket: Duplex, bounds: Limits = limits): Transport {
  const reader = new Reader();
  const decoder = createDecoder(bounds);
  let deadline: NodeJS.Timeout | undefined;
  // A client may close its sending half and wait for its answers: the connection ends with the last of them.
  let halfClosed = false;
  let ended = false;
  let corked = false;
  let reading = false;

  const flush = (): void => {
    corked = false;
    socket.uncork();
  };
  const send = (message: Message | readonly Message[], failed?: () => void): void => {
    if (ended || !socket.writable) return failed?.();
    // What is said in one breath is handed to the kernel at once.
    if (!corked) {
      corked = true;
      socket.cork();
      queueMicrotask(flush);
    }
    socket.write(frame(message));
    if (socket.writableLength > bounds.queued) socket.destroy();
  };
  const end = (): void => {
    if (ended) return;
    ended = true;
    clearTimeout(deadline);
    // What still comes is thrown away, so that the last answer is not followed by a reset.
    socket.removeListener("data", receive);
    socket.resume();
    socket.end(() => {
      if (!socket.destroyed) deadline = setTimeout(() => socket.destroy(), bounds.linger * 1000).unref();
    });
  };
  const fail = (text: string): void => {
    if (ended) return;
    send(refuse(null, text).refusal);
    end();
    reader.close();
  };
  const take = (body: Buffer): void => {
    const parsed = parseText(body, bounds);
    if ("value" in parsed && Array.isArray(parsed.value)) {
      return takeBatch(parsed.value, bounds.batch, reader.receive, send);
    }
    const admission = "refusal" in parsed ? parsed : admit(parsed.value);
    if ("message" in admission) reader.receive(admission.message);
    else send(admission.refusal);
  };
  const expect = (): void => {
    if (!decoder.partial || deadline || halfClosed) return;
    deadline = setTimeout(
      () => fail(`a message is complete within ${bounds.seconds} seconds`),
      bounds.seconds * 1000,
    );
    deadline.unref();
  };
  const relax = (): void => {
    clearTimeout(deadline);
    deadline = undefined;
  };
  const isFull = (): boolean => reader.inHand >= bounds.inHand || socket.writableLength >= bounds.unread;
  const receive = (chunk: Buffer): void => {
    decoder.push(chunk);
    regulate();
  };
  /** Takes what has come as far as there is room for it, and reads on only when all of it is taken. */
  const regulate = (): void => {
    // Taking a message may settle it.
    if (reading || ended || socket.destroyed) return;
    reading = true;
    try {
      while (!isFull() && !ended) {
        const body = decoder.next();
        if (body === undefined) break;
        relax();
        take(body);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return fail(error.message);
    } finally {
      reading = false;
    }
    if (ended || socket.destroyed) return;
    if (isFull()) {
      socket.pause();
      return relax();
    }
    if (socket.isPaused()) socket.resume();
    expect();
    if (halfClosed && reader.inHand === 0) end();
  };

  reader.onSettle = regulate;
  socket.on("data", receive);
  socket.on("drain", regulate);
  socket.on("end", () => {
    halfClosed = true;
    relax();
    regulate();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    relax();
    reader.close();
  });
  if (socket.destroyed) reader.close();
  return { reader, send, close: end };
}

function frame(message: unknown): string {
  const body = JSON.stringify(message);
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

export function encodeFrame(message: unknown): Buffer {
  return Buffer.from(frame(message), "utf8");
}
