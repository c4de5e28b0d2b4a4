/** A bridge that lets through only what is allowed: both sides are read message by message. */
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import type { ProcessStream } from "../../client/process-stream.js";
import { openFrames } from "../../protocol/frames.js";
import { limits } from "../../protocol/limits.js";
import { type Call, isCall, isRequest, type MessageId, type Response } from "../../protocol/message.js";
import { judge, type Method } from "./allowance.js";

/** Settles when either side has ended and what it had said is handed over. `tell` is given a line for the client's eyes. */
export function runRestricted(
  stdio: ProcessStream,
  socket: Socket,
  allowed: ReadonlySet<Method>,
  tell: (line: string) => void,
): Promise<void> {
  const client = openFrames(stdio, limits);
  // The daemon is read only as fast as the client reads, so that it is the daemon's own limit that a slow client meets.
  const daemon = openFrames(socket, { ...limits, inHand: 1 });
  // By numbers of our own: the client may give one id twice, also in two batches.
  const inFlight = new Map<MessageId, Asked>();
  let last = 0;

  client.reader.listen((message, answer = client.send) => {
    // The daemon asks nothing, so nobody has to answer it.
    if (!isCall(message)) return client.reader.settle(message);
    const judgement = judge(message, allowed);
    if (judgement.verdict === "refuse") {
      if (judgement.answer) answer(judgement.answer);
      return client.reader.settle(message);
    }
    if (judgement.dropped.length > 0) tell(`left out of the deploy: ${listNames(judgement.dropped)}`);
    const call = judgement.message;
    if (isRequest(call)) {
      // A client that closes its sending half is owed the answers to its calls: they are in hand until then.
      last += 1;
      inFlight.set(last, { id: call.id, answer, message });
      daemon.send({ ...call, id: last });
    } else {
      daemon.send(call.method === "$/cancelRequest" ? rename(call, inFlight) : call);
      client.reader.settle(message);
    }
    if (socket.writableNeedDrain) {
      stdio.hold();
      socket.once("drain", () => stdio.release());
    }
  });
  daemon.reader.listen((message) => {
    const asked = isCall(message) ? undefined : inFlight.get(message.id);
    if (isCall(message)) client.send(message);
    // What answers nothing tells that the daemon could not read something.
    else if (!asked) client.send(message);
    else {
      inFlight.delete(message.id);
      asked.answer({ ...message, id: asked.id });
    }
    whenDrained(stdio, () => daemon.reader.settle(message));
    if (asked) client.reader.settle(asked.message);
  });
  return new Promise((resolve) => {
    client.reader.onClose(() => {
      daemon.close();
      resolve();
    });
    daemon.reader.onClose(() => {
      client.close();
      // Nothing that the client could still say would be heard.
      if (stdio.writableFinished) stdio.destroy();
      else stdio.once("finish", () => stdio.destroy());
    });
  });
}

/** A call that the daemon has not answered yet. */
interface Asked {
  readonly id: MessageId;
  /** As the client sent it. */
  readonly message: Call;
  readonly answer: (response: Response) => void;
}

/** A cancel with the number that the daemon knows; one of a call that is over keeps a number that nobody knows. */
function rename(cancel: Call, inFlight: ReadonlyMap<MessageId, Asked>): Call {
  const id: unknown = (cancel.params as { id?: unknown } | null | undefined)?.id;
  const [number = 0] = [...inFlight].findLast(([, asked]) => asked.id === id) ?? [];
  return { jsonrpc: "2.0", method: cancel.method, params: { id: number } };
}

// Names come from the client and go to a terminal.
function listNames(names: readonly string[]): string {
  return names
    .slice(0, 10)
    .map((name) => name.replace(/[^\w-]/g, "?").slice(0, 40))
    .join(", ");
}

/** Acts once: when there is room again, or nobody will ever read. */
function whenDrained(stream: Writable, act: () => void): void {
  if (stream.destroyed || !stream.writableNeedDrain) return act();
  const once = (): void => {
    stream.off("drain", once);
    stream.off("close", once);
    act();
  };
  stream.on("drain", once);
  stream.on("close", once);
}
