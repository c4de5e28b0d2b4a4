/** One session of HTTP/2: which of its streams are open, and what that means when the worker leaves. */
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Fact } from "./drain.js";

export interface Session {
  readonly http2: ServerHttp2Session;
  /** Those that are open, and whether each is a tunnel (CONNECT). */
  readonly streams: Map<ServerHttp2Stream, boolean>;
  /** While it is being left: has to be called when a stream is opened. */
  opened: (() => void) | undefined;
}

/** How long the client has to confirm that it heard the warning, in milliseconds. */
const patience = 2_000;
/** How long a session without streams waits for its client to close: closing first may reset what was just sent. */
const linger = 1_000;

export function patienceOfSession(grace: number): number {
  return Math.min(patience, grace);
}

/** Adds a stream that the client has opened. */
export function openStream(
  { streams }: Session,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): void {
  streams.set(stream, headers[":method"] === "CONNECT");
}

/** Says what a session is doing at this moment. */
export function observeSession({ http2, streams }: Session, socket: Socket, grace: number): Fact {
  let endless = 0;
  for (const [stream, isTunnel] of streams) if (isTunnel || isEventStream(stream)) endless += 1;
  if (streams.size > endless) return { is: "asked" };
  // Until it has heard the last word, the client may open another stream.
  const isLeft = http2.closed || http2.destroyed;
  if (!isLeft) return { is: "quiet", patience: patienceOfSession(grace) + Math.min(linger, grace) };
  if (endless > 0) return { is: "freed" };
  // What was answered may still be on its way into the kernel.
  return socket.writableFinished ? { is: "quiet", patience: Math.min(linger, grace) } : { is: "asked" };
}

/** Calls `changed` when the stream is answered, because what is answered may have no end. */
export function watchAnswer(stream: ServerHttp2Stream, changed: () => void): void {
  const { respond } = stream;
  stream.respond = (...args) => {
    Reflect.apply(respond, stream, args);
    changed();
  };
}

function isEventStream({ sentHeaders }: ServerHttp2Stream): boolean {
  return /^text\/event-stream/i.test(String(sentHeaders?.["content-type"] ?? ""));
}
