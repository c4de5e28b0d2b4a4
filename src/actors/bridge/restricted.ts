/** A bridge that lets through only what is allowed: both sides are read message by message. */
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import { Message } from "vscode-jsonrpc/node";
import type { ProcessStream } from "../../client/process-stream.js";
import { limits, openFrames } from "../../protocol/frames.js";
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
  let inFlight = 0;

  client.reader.listen((message) => {
    const judgement = judge(message, allowed);
    if (judgement.verdict === "refuse") {
      if (judgement.answer) client.writer.write(judgement.answer).catch(() => {});
      return client.reader.settle();
    }
    if (judgement.dropped.length > 0) tell(`left out of the deploy: ${listNames(judgement.dropped)}`);
    daemon.writer.write(judgement.message).catch(() => {});
    // A client that closes its sending half is owed the answers to its calls: they are in hand until then.
    if (isCall(judgement.message)) inFlight += 1;
    else client.reader.settle();
    if (socket.writableNeedDrain) {
      stdio.hold();
      socket.once("drain", () => stdio.release());
    }
  });
  daemon.reader.listen((message) => {
    client.writer.write(message).catch(() => {});
    whenDrained(stdio, () => daemon.reader.settle());
    if (!Message.isResponse(message) || inFlight === 0) return;
    inFlight -= 1;
    client.reader.settle();
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

function isCall(message: Message): boolean {
  return (message as { id?: unknown }).id !== undefined;
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
