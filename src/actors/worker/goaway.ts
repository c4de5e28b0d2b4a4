/**
 * GOAWAY: the farewell of a session of HTTP/2 (RFC 9113, 6.8). A warning first, with the highest stream there can be,
 * so that the client opens no more; and the last word, with the last stream that was served, when all that the client
 * had opened before it heard the warning has arrived.
 */
import type { Socket } from "node:net";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { writeBetween } from "../node-internals.js";
import type { Session } from "./session.js";

/**
 * Leaves the session within `patience` milliseconds, and calls `left` then. The returned function has to be called
 * when a stream is opened meanwhile.
 */
export function sayGoaway(session: Session, socket: Socket, patience: number, left: () => void): () => void {
  const { http2, streams } = session;
  const timer = setTimeout(leave, patience);
  http2.once("close", () => clearTimeout(timer));
  // Clients that answer in kind, as Node's does, will open no more; and Node leaves such a session by itself.
  http2.once("goaway", leave);

  /** Streams that are open go on. Of any other the client knows that it may safely ask again. */
  function leave(): void {
    clearTimeout(timer);
    if (!http2.closed && !http2.destroyed) http2.close();
    left();
  }

  function warn(): void {
    if (http2.closed || http2.destroyed) return;
    const outcome = writeBetween(socket, warning);
    if (outcome === "closed") return leave();
    // A client that reads slowly is not warned before it has read what was sent to it; the timer is left then.
    if (outcome === "busy") return void setTimeout(warn, retry).unref();
    // A client may confirm at once, ahead of streams that it had in its queue; the second time these have been sent.
    roundTrip(() => roundTrip(leave));
  }

  function roundTrip(done: () => void): void {
    if (http2.closed || http2.destroyed) return;
    // False when the application has too many on the way. The timer is left then.
    http2.ping((error) => {
      if (error === null) done();
    });
  }

  if (http2.encrypted) {
    // No warning can be given. The next best is the moment at which the client waits for an answer: it reads the last
    // word before it asks again.
    const leaveSoon = () => void setImmediate(leave);
    if (streams.size > 0) leaveSoon();
    return leaveSoon;
  }
  // Nothing may come ahead of the settings with which a server begins.
  if (http2.pendingSettingsAck) http2.once("localSettings", warn);
  else warn();
  return () => {};
}

/** Milliseconds between two attempts. */
const retry = 50;

/**
 * Written past Node: after `session.goaway()` nghttp2 ignores every new stream, whatever the number in it. That is sound
 * between two writes of the session, which writes whole frames; not in TLS, whose records are Node's to make.
 */
const warning = Buffer.from("0000080700000000007fffffff00000000", "hex");
