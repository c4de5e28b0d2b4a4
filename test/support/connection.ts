/**
 * One connection of the load client, and one exchange on it. Nothing is ever tried again: whatever a server,
 * or the way to it, does is told by its name.
 */
import { connect, type Socket } from "node:net";
import { parseResponse, type Response } from "./http-response.js";
import type { FailureKind } from "./load-report.js";
import type { Target } from "./request.js";

export interface Failed {
  readonly failure: FailureKind;
  readonly detail: string;
}

export interface Connection {
  readonly socket: Socket;
  /** Requests that were sent on it. */
  requests: number;
  /** `finished`: closed by us, or by the server's own word; `dropped`: the server closed it, whether idle or not. */
  fate: "open" | "finished" | "dropped";
  idleSince: number;
  /** How long the server said it keeps an idle connection. */
  keepAliveMs: number;
}

/** What the server promised, less the time that a request may take on its way there. */
const margin = 500;

export function open(target: Target, timeout: number): Promise<Connection | Failed> {
  return new Promise((resolve) => {
    const socket = connect({ host: target.host, port: target.port, noDelay: true });
    const timer = setTimeout(() => {
      socket.destroy();
      resolve({ failure: "timeout", detail: "no connection" });
    }, timeout);
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(watch(socket));
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve({ failure: kindOf(error), detail: String(error.code) });
    });
  });
}

/** A client may reuse a connection for as long as the server promised to keep it. */
export function isReusable(connection: Connection): boolean {
  return (
    connection.fate === "open" && performance.now() - connection.idleSince < connection.keepAliveMs - margin
  );
}

export function close(connection: Connection): void {
  connection.fate = "finished";
  connection.socket.destroy();
}

export async function exchange(
  connection: Connection,
  target: Target,
  path: string,
  options: { readonly timeout: number; readonly last: boolean },
): Promise<Response | Failed> {
  const outcome = await sendAndReceive(
    connection,
    `GET ${path} HTTP/1.1\r\nHost: ${target.host}\r\n${options.last ? "Connection: close\r\n" : ""}\r\n`,
    options.timeout,
  );
  connection.idleSince = performance.now();
  if ("failure" in outcome || options.last || isLast(outcome)) close(connection);
  else connection.keepAliveMs = readKeepAlive(outcome);
  return outcome;
}

function sendAndReceive(connection: Connection, head: string, timeout: number): Promise<Response | Failed> {
  const { socket } = connection;
  connection.requests += 1;
  let bytes = Buffer.alloc(0);
  return new Promise((resolve) => {
    const settle = (outcome: Response | Failed) => {
      clearTimeout(timer);
      socket.off("data", take).off("end", end).off("error", fail).off("close", end);
      resolve(outcome);
    };
    const look = (ended: boolean) => {
      try {
        const response = parseResponse(bytes, ended);
        if (response === undefined) return;
        const excess = bytes.length - response.length;
        settle(excess > 0 ? { failure: "badBody", detail: `${excess} bytes too many` } : response);
      } catch (error) {
        settle({ failure: "badBody", detail: String(error) });
      }
    };
    const take = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      look(false);
    };
    const cut = (detail: string) => settle(nameCut(bytes, connection.requests, detail));
    const end = () => {
      look(true);
      cut("closed");
    };
    const fail = (error: NodeJS.ErrnoException) => cut(String(error.code));
    const timer = setTimeout(
      () => settle({ failure: "timeout", detail: `${bytes.length} bytes in ${timeout} ms` }),
      timeout,
    );
    socket.on("data", take).on("end", end).on("error", fail).on("close", end);
    // The server may have closed it since the last look, and no event will come any more.
    if (socket.destroyed || socket.readableEnded) return cut("closed before the request");
    socket.write(head);
  });
}

function nameCut(bytes: Buffer, requests: number, detail: string): Failed {
  if (bytes.length > 0) return { failure: "truncated", detail: `${detail} after ${bytes.length} bytes` };
  return { failure: requests > 1 ? "resetReused" : "resetFresh", detail };
}

function watch(socket: Socket): Connection {
  const idleSince = performance.now();
  const connection: Connection = { socket, requests: 0, fate: "open", idleSince, keepAliveMs: Infinity };
  const drop = () => {
    if (connection.fate === "open") connection.fate = "dropped";
  };
  // An idle connection has nobody else to listen: an unheard error would end the client.
  socket.on("end", drop).on("close", drop).on("error", drop);
  return connection;
}

function kindOf(error: NodeJS.ErrnoException): FailureKind {
  if (error.code === "ECONNREFUSED") return "refused";
  if (error.code === "ECONNRESET") return "resetFresh";
  if (error.code === "ETIMEDOUT") return "timeout";
  return "other";
}

function isLast(response: Response): boolean {
  return /\bclose\b/i.test(response.headers.get("connection") ?? "");
}

function readKeepAlive(response: Response): number {
  const seconds = /timeout=(\d+)/.exec(response.headers.get("keep-alive") ?? "")?.[1];
  return seconds === undefined ? Infinity : Number(seconds) * 1000;
}
