/** The servers of the user's process: knows those that listen and their connections, and drains them all. */
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Server, Socket } from "node:net";
import type { DrainTimes } from "../../protocol/types.js";
import {
  type Connection,
  connectionOf,
  finishResponse,
  isEventStream,
  mayEndWith,
  observe,
  openConnection,
  secureConnection,
  speakHttp2,
  speaksHttp,
} from "./connection.js";
import { type Departure, prepareDeparture } from "./departure.js";
import { prepareFarewell } from "./farewell.js";
import { sayGoaway } from "./goaway.js";
import { awaitHandovers } from "./handover.js";
import { acceptWaiting, stopAccepting } from "./listening.js";
import { type Delivery, observeServers } from "./observation.js";
import { openStream, patienceOfSession, watchAnswer } from "./session.js";

export interface Servers {
  /** The application will be asked to go, and may close its servers before: from now on that cuts nobody. */
  hold(): void;
  /** Resolves when the application may be told `shutdown`. Idempotent: a second call returns the same promise. */
  drain(times: DrainTimes): Promise<void>;
}

/** A drain that has begun. */
interface Leaving {
  readonly departure: Departure;
  /** In milliseconds. */
  readonly grace: number;
  readonly settled: Promise<void>;
}

/** Has to be called once, before any code of the application. */
export function trackServers(): Servers {
  const listening = new Set<Server>();
  const connections = new Set<Connection>();
  const held = new Map<Server, () => void>();
  let accepted = 0;
  let leaving: Leaving | undefined;
  let drained: Promise<void> | undefined;

  /** Tells the drain, if there is one, what a connection is doing now. */
  function report(connection: Connection): void {
    leaving?.departure.tell(connection, observe(connection, leaving.grace));
  }

  function heardListening(server: Server): void {
    listening.add(server);
    // Whatever it accepted would be cut soon; the workers that stay accept in its place.
    if (leaving !== undefined) stopAccepting(server);
  }

  function heardConnection(server: Server, socket: Socket): void {
    accepted += 1;
    if (!speaksHttp(server)) return;
    const known = connectionOf(socket);
    if (known !== undefined) {
      // One server hands a connection on to another.
      known.server = server;
      return;
    }
    const connection = openConnection(server, socket);
    connections.add(connection);
    socket.once("close", () => {
      connections.delete(connection);
      leaving?.departure.tell(connection, { is: "closed" });
    });
    report(connection);
  }

  function heardSecured(socket: Socket): void {
    const connection = secureConnection(socket);
    if (connection !== undefined) report(connection);
  }

  function heardRequest(server: Server, request: IncomingMessage, response: ServerResponse): Delivery {
    // In HTTP/2 it was heard of as a stream.
    if (request.httpVersionMajor === 2) return "now";
    const connection = connectionOf(request.socket);
    // Those that one server hands on to another are not counted twice.
    if (connection === undefined || connection.upgraded || connection.server !== server) return "now";
    // Its answer would never be sent. The client knows, and can safely ask again elsewhere.
    if (connection.closing) return "never";
    connection.latest = response;
    if (leaving === undefined) return "now";
    report(connection);
    // By then it is known whether there are more requests behind this one.
    return "later";
  }

  function heardSession(session: ServerHttp2Session): void {
    const connection = speakHttp2(session);
    if (connection !== undefined && leaving !== undefined) leaveSession(connection, leaving.grace);
  }

  function heardStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const connection = connectionOf(stream.session as ServerHttp2Session | undefined);
    const session = connection?.session;
    if (connection === undefined || session === undefined) return;
    openStream(session, stream, headers);
    stream.once("close", () => {
      session.streams.delete(stream);
      if (leaving !== undefined) report(connection);
    });
    if (leaving === undefined) return;
    watchAnswer(stream, () => report(connection));
    report(connection);
    session.opened?.();
  }

  function leaveSession(connection: Connection, grace: number): void {
    const { session, socket } = connection;
    if (session === undefined) return;
    for (const stream of session.streams.keys()) watchAnswer(stream, () => report(connection));
    session.opened = sayGoaway(session, socket, patienceOfSession(grace), () => report(connection));
    socket.once("finish", () => report(connection));
    report(connection);
  }

  function heardUpgrade(request: IncomingMessage): void {
    const connection = connectionOf(request.socket);
    if (connection === undefined) return;
    connection.upgraded = true;
    report(connection);
  }

  function heardFinish(response: ServerResponse, socket: Socket): void {
    const connection = connectionOf(socket);
    if (connection === undefined || !finishResponse(connection, response)) return;
    // One that was told to close is waited for until it is closed.
    if (!connection.closing) report(connection);
  }

  function heardHead(response: ServerResponse, farewell: boolean): void {
    const connection = connectionOf(response.req?.socket);
    if (connection === undefined) return;
    if (farewell) connection.closing = true;
    if (isEventStream(response)) report(connection);
  }

  observeServers({
    listening: heardListening,
    closed: (server) => void listening.delete(server),
    connected: heardConnection,
    secured: (_, socket) => heardSecured(socket),
    requested: heardRequest,
    upgraded: heardUpgrade,
    begun: heardSession,
    opened: heardStream,
  });
  subscribe("http.server.response.finish", (message) => {
    const { response, socket } = message as { response: ServerResponse; socket: Socket };
    heardFinish(response, socket);
  });
  const sayFarewell = prepareFarewell({
    mayEndWith: (response) => {
      const connection = connectionOf(response.req?.socket);
      return connection !== undefined && mayEndWith(connection, response);
    },
    composed: heardHead,
  });

  function findServers(): Set<Server> {
    return new Set([...listening, ...[...connections].map(({ server }) => server)]);
  }

  function hold(): void {
    for (const server of findServers()) {
      if (!held.has(server)) held.set(server, keepIdleConnections(server));
    }
  }

  function leave(times: DrainTimes): Leaving {
    const departure = prepareDeparture();
    for (const server of findServers()) stopAccepting(server);
    hold();
    sayFarewell();
    const settled = departure.settled.then(() => {
      for (const release of held.values()) release();
    });
    leaving = { departure, grace: times.grace * 1000, settled };
    return leaving;
  }

  async function drainAll(times: DrainTimes): Promise<void> {
    await acceptWaiting(() => accepted);
    const { departure, grace, settled } = leave(times);
    for (const connection of connections) {
      if (connection.session === undefined) report(connection);
      else leaveSession(connection, grace);
    }
    await awaitHandovers();
    departure.begin(times.timeout * 1000);
    await settled;
  }

  return {
    hold,
    drain(times) {
      drained ??= drainAll(times);
      return drained;
    },
  };
}

/** From Node 19 on `server.close()` cuts idle connections, and with them the requests that are on their way. */
function keepIdleConnections(server: Server): () => void {
  const before = Object.getOwnPropertyDescriptor(server, "closeIdleConnections");
  if (!("closeIdleConnections" in server)) return () => {};
  Object.defineProperty(server, "closeIdleConnections", {
    value: () => {},
    configurable: true,
    writable: true,
  });
  return () => {
    if (before === undefined) Reflect.deleteProperty(server, "closeIdleConnections");
    else Object.defineProperty(server, "closeIdleConnections", before);
  };
}
