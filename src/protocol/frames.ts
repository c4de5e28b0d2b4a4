/** JSON-RPC over a stream, a socket or a pair of pipes, framed by the base protocol of LSP: a `Content-Length` header, then UTF-8 JSON. */
import type { Duplex } from "node:stream";
import type { Message } from "vscode-jsonrpc/node";
import { admit, refuse } from "./admission.js";
import { checkBatch, createBatches } from "./batch.js";
import { createDecoder, FrameError } from "./decoder.js";
import { parseText } from "./json-text.js";
import { Reader, type Transport, Writer } from "./transport.js";

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
  const batches = createBatches();
  const decoder = createDecoder(bounds);
  let deadline: NodeJS.Timeout | undefined;
  // A client may close its sending half and wait for its answers: the connection ends with the last of them.
  let halfClosed = false;
  let ended = false;

  const send = (message: Message | readonly Message[]): void => {
    if (ended || !socket.writable) throw new Error("the connection is closed");
    socket.write(encodeFrame(message));
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
    if (socket.writable) send(refuse(null, text).refusal);
    end();
    reader.close();
  };
  const take = (body: Buffer): void => {
    const parsed = parseText(body, bounds);
    if ("value" in parsed && Array.isArray(parsed.value)) return takeBatch(parsed.value);
    const admission = "refusal" in parsed ? parsed : admit(parsed.value);
    if ("message" in admission) reader.receive(admission.message);
    else if (socket.writable) send(admission.refusal);
  };
  const takeBatch = (elements: readonly unknown[]): void => {
    const answer = (answers: Message | readonly Message[]): void => {
      if (socket.writable) send(answers);
    };
    const refused = checkBatch(elements, bounds.batch);
    if (refused) return answer(refused.refusal);
    for (const message of batches.open(elements, answer)) reader.receive(message);
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
  const receive = (chunk: Buffer): void => {
    decoder.push(chunk);
    try {
      for (let body = decoder.next(); body !== undefined && !ended; body = decoder.next()) {
        relax();
        take(body);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return fail(error.message);
    }
    regulate();
  };
  const regulate = (): void => {
    if (ended || socket.destroyed) return;
    if (reader.inHand >= bounds.inHand || socket.writableLength >= bounds.unread) {
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
  const write = async (message: Message): Promise<void> => {
    const complete = batches.collect(message);
    if (complete) send(complete);
  };
  return { reader, writer: new Writer(write), close: end };
}

export function encodeFrame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message), "utf8");
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`, "latin1"), body]);
}
