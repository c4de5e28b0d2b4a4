/** The farewell: from some moment on, responses tell their clients that the connection ends with them. */
import { type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from "node:http";

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[] | OutgoingHttpHeader[][];

/** Whoever knows about connections. */
export interface Host {
  /** Says whether the connection may end with this response. */
  mayEndWith(response: ServerResponse): boolean;
  /** The header is composed, with a farewell or without. */
  composed(response: ServerResponse, farewell: boolean): void;
}

/**
 * Has to run before any code of the application, because middleware keeps `writeHead` to call it later. The returned
 * function is the moment.
 */
export function prepareFarewell(host: Host): () => void {
  let leaving = false;
  const { writeHead } = ServerResponse.prototype;
  ServerResponse.prototype.writeHead = function (this: ServerResponse, ...args: unknown[]) {
    if (!leaving) return Reflect.apply(writeHead, this, args);
    const said = sayClose(host, this, args);
    const result = Reflect.apply(writeHead, this, said ?? args);
    host.composed(this, said !== undefined);
    return result;
  } as ServerResponse["writeHead"];
  return () => {
    leaving = true;
  };
}

/** The arguments with a farewell, or undefined where there is none to be said. */
function sayClose(host: Host, response: ServerResponse, args: readonly unknown[]): unknown[] | undefined {
  try {
    // 101 has a Connection header with another meaning.
    if (!(Number(args[0]) >= 200) || response.headersSent || !host.mayEndWith(response)) return undefined;
    return putClose(response, args);
  } catch {
    // Arguments that are wrong are for Node to complain about.
    return undefined;
  }
}

/** Puts `Connection: close` into the response or into the arguments, wherever Node takes its headers from. */
function putClose(response: ServerResponse, args: readonly unknown[]): unknown[] {
  // The same choice as in Node: status, [message], [headers].
  const index = typeof args[1] === "string" || (args[2] ?? undefined) !== undefined ? 2 : 1;
  const given = args[index] as Headers | null | undefined;
  const set = response.getHeaderNames().length > 0;
  if (set || given === undefined || given === null) response.setHeader("Connection", "close");
  if (given === undefined || given === null) return [...args];
  const others = dropConnection(given);
  return args.with(index, set ? others : addClose(others));
}

function dropConnection(headers: Headers): Headers {
  if (isPairs(headers)) return headers.filter(([name]) => !isConnection(name));
  if (Array.isArray(headers)) {
    return headers.filter((_, index) => !isConnection(headers[index - (index % 2)]));
  }
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isConnection(name)));
}

function addClose(headers: Headers): Headers {
  if (isPairs(headers)) return [...headers, ["Connection", "close"]];
  if (Array.isArray(headers)) return [...headers, "Connection", "close"];
  return { ...headers, Connection: "close" };
}

function isPairs(headers: Headers): headers is OutgoingHttpHeader[][] {
  return Array.isArray(headers) && Array.isArray(headers[0]);
}

function isConnection(name: unknown): boolean {
  return typeof name === "string" && name.toLowerCase() === "connection";
}
