/** The servers of the user's process: knows those that listen and their connections, and drains them all. */
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
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
  speaksHttp1,
} from "./connection.js";
import { type Departure, prepareDeparture } from "./departure.js";
import { prepareFarewell } from "./farewell.js";
import { awaitHandovers } from "./handover.js";
import { acceptWaiting, stopAccepting } from "./listening.js";
import { type Delivery, observeServers } from "./observation.js";

export interface Servers {
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
    if (!speaksHttp1(server)) return;
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
    const connection = connectionOf(request.socket);
    // Requests of HTTP/2 are not counted here, and those that one server hands on to another not twice.
    if (connection === undefined || connection.upgraded || connection.server !== server) return "now";
    // Its answer would never be sent. The client knows, and can safely ask again elsewhere.
    if (connection.closing) return "never";
    connection.latest = response;
    if (leaving === undefined) return "now";
    report(connection);
    // By then it is known whether there are more requests behind this one.
    return "later";
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

  function leave(times: DrainTimes): Leaving {
    const departure = prepareDeparture();
    const servers = new Set([...listening, ...[...connections].map(({ server }) => server)]);
    for (const server of servers) stopAccepting(server);
    const restore = [...servers].map(keepIdleConnections);
    sayFarewell();
    const settled = departure.settled.then(() => {
      for (const undo of restore) undo();
    });
    leaving = { departure, grace: times.grace * 1000, settled };
    return leaving;
  }

  async function drainAll(times: DrainTimes): Promise<void> {
    await acceptWaiting(() => accepted);
    const { departure, settled } = leave(times);
    for (const connection of connections) report(connection);
    await awaitHandovers();
    departure.begin(times.timeout * 1000);
    await settled;
  }

  return {
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
