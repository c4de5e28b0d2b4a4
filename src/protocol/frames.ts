/** JSON-RPC over a stream, a socket or a pair of pipes, framed by the base protocol of LSP: a `Content-Length` header, then UTF-8 JSON. */
import type { Duplex } from "node:stream";
import { admit, refuse } from "./admission.js";
import { takeBatch } from "./batch.js";
import { type Budget, noBudget } from "./budget.js";
import { createDecoder, FrameError } from "./decoder.js";
import { errorTable } from "./errors.js";
import { parseText } from "./json-text.js";
import { type Limits, limits } from "./limits.js";
import { fail as failure, type Message, type Response } from "./message.js";
import { Reader, type Transport } from "./transport.js";

/**
 * A message that is no valid JSON-RPC is answered with an error, and the connection goes on. What is not framed
 * is answered, too, but then the connection is closed: nobody knows where the next message begins.
 */
export function openFrames(socket: Duplex, bounds: Limits = limits, budget: Budget = noBudget): Transport {
  const reader = new Reader();
  const decoder = createDecoder(bounds);
  let deadline: NodeJS.Timeout | undefined;
  // A client may close its sending half and wait for its answers: the connection ends with the last of them.
  let halfClosed = false;
  let ended = false;
  let corked = false;
  let reading = false;
  /** What the budget was told of. */
  let told = 0;

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
    if (socket.writableLength > bounds.queued) {
      return fail(
        refuse(null, `at most ${bounds.queued} bytes of output are kept for a client that does not read`)
          .refusal,
      );
    }
    account();
  };
  const measure = (): number => decoder.held + reader.held + socket.writableLength;
  const account = (): void => {
    const now = socket.destroyed ? 0 : measure();
    const change = now - told;
    told = now;
    budget.report(change);
  };
  const end = (): void => {
    if (ended) return;
    ended = true;
    clearTimeout(deadline);
    // What still comes is thrown away, so that the last answer is not followed by a reset.
    socket.removeListener("data", receive);
    socket.resume();
    socket.end(() => {
      clearTimeout(deadline);
      if (!socket.destroyed) deadline = setTimeout(() => socket.destroy(), bounds.linger * 1000).unref();
    });
  };
  const fail = (last: Response): void => {
    if (ended) return;
    if (socket.writable) socket.write(frame(last));
    end();
    // The end of what nobody reads never comes.
    deadline = setTimeout(() => socket.destroy(), bounds.linger * 1000).unref();
    reader.close();
  };
  const drop = (why: string): void => {
    const held = socket.writableLength;
    fail(failure(null, errorTable.Busy.code, why));
    // Nobody reads what it is there for.
    if (held > 0) socket.destroy();
  };
  const take = (body: Buffer): void => {
    const parsed = parseText(body, bounds);
    if ("value" in parsed && Array.isArray(parsed.value)) {
      return takeBatch(parsed.value, bounds.batch, reader.receive, parsed.cost, send);
    }
    const admission = "refusal" in parsed ? parsed : admit(parsed.value);
    if ("message" in admission)
      reader.receive(admission.message, undefined, "cost" in parsed ? parsed.cost : 0);
    else send(admission.refusal);
  };
  const expect = (): void => {
    if (!decoder.partial || deadline || halfClosed) return;
    deadline = setTimeout(
      () => fail(refuse(null, `a message is complete within ${bounds.seconds} seconds`).refusal),
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
      return fail(refuse(null, error.message).refusal);
    } finally {
      reading = false;
    }
    if (ended || socket.destroyed) return;
    account();
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
  const leave = budget.join({ measure, drop });
  socket.on("close", () => {
    relax();
    leave();
    account();
    reader.close();
  });
  if (socket.destroyed) reader.close();
  return { reader, send, close: end, drop };
}

function frame(message: unknown): string {
  const body = JSON.stringify(message);
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

export function encodeFrame(message: unknown): Buffer {
  return Buffer.from(frame(message), "utf8");
}
