/** One connection of a server that speaks HTTP: what has to be remembered of it while the worker serves. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServerHttp2Session } from "node:http2";
import type { Server, Socket } from "node:net";
import type { Fact } from "./drain.js";
import { observeSession, type Session } from "./session.js";

export interface Connection {
  /** The server that reads requests from it. */
  server: Server;
  /** Under TLS the raw socket until the handshake is over, then the secure one. */
  socket: Socket;
  handshaking: boolean;
  /** It became a websocket, a tunnel or HTTP/2. */
  upgraded: boolean;
  /** It is one of HTTP/2. */
  session: Session | undefined;
  /** The response to the newest request while it is in flight; there may be others before it in the queue. */
  latest: ServerResponse | undefined;
  /** How much had been read from the socket when the newest response was finished. */
  read: number;
  /** The client was told that this connection ends with the newest response. */
  closing: boolean;
}

const held = Symbol("naught.connection");

interface Holder {
  [held]?: Connection | undefined;
}

/** A property, because looking it up costs less per request than a WeakMap does. */
export function connectionOf(of: Socket | ServerHttp2Session | null | undefined): Connection | undefined {
  return (of as Holder | null | undefined)?.[held];
}

/** True for http, https and http2. */
export function speaksHttp(server: Server): boolean {
  return "headersTimeout" in server || "updateSettings" in server;
}

export function openConnection(server: Server, socket: Socket): Connection {
  const handshaking = "setSecureContext" in server;
  const connection: Connection = {
    server,
    socket,
    handshaking,
    upgraded: false,
    session: undefined,
    latest: undefined,
    read: 0,
    closing: false,
  };
  (socket as Holder)[held] = connection;
  return connection;
}

/** Goes over to the secure socket; undefined if the raw one was never seen. */
export function secureConnection(socket: Socket): Connection | undefined {
  // Nothing public leads from the secure socket to the raw one.
  const raw = (socket as { _parent?: Socket | null })._parent;
  const connection = raw ? connectionOf(raw) : undefined;
  if (connection === undefined) return undefined;
  connection.socket = socket;
  connection.handshaking = false;
  connection.upgraded = (socket as { alpnProtocol?: unknown }).alpnProtocol === "h2";
  (socket as Holder)[held] = connection;
  return connection;
}

/** Goes over to HTTP/2; undefined if the socket was never seen. */
export function speakHttp2(http2: ServerHttp2Session): Connection | undefined {
  // Node gives access to the socket's properties here, though not to the socket itself.
  const connection = connectionOf(http2.socket as Socket);
  if (connection === undefined) return undefined;
  connection.upgraded = true;
  connection.session = { http2, streams: new Map(), opened: undefined };
  (http2 as Holder)[held] = connection;
  return connection;
}

/** Says what a connection is doing at this moment. */
export function observe(connection: Connection, grace: number): Fact {
  const { latest, session, socket } = connection;
  if (session !== undefined) return observeSession(session, socket, grace);
  if (connection.upgraded || (latest !== undefined && isEventStream(latest))) return { is: "freed" };
  if (latest !== undefined || hasPartOfRequest(connection)) return { is: "asked" };
  return { is: "quiet", patience: patienceOf(connection.server, grace) };
}

/** Says whether anything has come since the last request was answered. What a handshake sends is no request. */
export function hasPartOfRequest({ handshaking, session, socket, read }: Connection): boolean {
  return !handshaking && session === undefined && bytesRead(socket) > read;
}

/** Remembers that the newest request was answered; false if others are still behind it. */
export function finishResponse(connection: Connection, response: ServerResponse): boolean {
  if (connection.latest !== undefined && connection.latest !== response) return false;
  connection.latest = undefined;
  connection.read = bytesRead(connection.socket);
  return true;
}

/**
 * Says whether the connection may end with this response. Not if requests are queued behind it, which would be lost.
 * Not while its own request is still on the way either: closing then resets the connection, and with it the response.
 */
export function mayEndWith(connection: Connection, response: ServerResponse<IncomingMessage>): boolean {
  return connection.latest === response && response.req.complete;
}

/** A response without an end. Node has no public way to read headers that went straight to `writeHead`. */
export function isEventStream(response: ServerResponse): boolean {
  const { _header: head } = response as { _header?: unknown };
  return typeof head === "string" && /^content-type:\s*text\/event-stream/im.test(head);
}

/** A second more than the client was told, because what it sends in the last moment is still on the way. */
function patienceOf(server: Server, grace: number): number {
  const { keepAliveTimeout } = server as { keepAliveTimeout?: unknown };
  const known = typeof keepAliveTimeout === "number" && keepAliveTimeout > 0;
  return known ? Math.min(keepAliveTimeout + 1000, grace) : grace;
}

/** Streams that an application injects as connections don't count bytes. */
function bytesRead(socket: Socket): number {
  return (socket as { bytesRead?: number }).bytesRead ?? 0;
}
