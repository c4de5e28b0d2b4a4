/** A server made of bare sockets, which can misbehave in every way that a test of the load client needs. */

import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { Target } from "./request.js";
import { ownAddress, port } from "./temp.js";

export interface Asked {
  readonly socket: Socket;
  readonly id: string;
  /** Counts the requests of this connection from 1, */
  readonly onConnection: number;
  /** and those of all connections. */
  readonly total: number;
}

export interface NetServer extends Target {
  /** Resolves when so many requests have come. */
  asked(count: number): Promise<void>;
}

export async function listen(
  defer: (cleanup: () => unknown) => void,
  onRequest: (asked: Asked) => void,
): Promise<NetServer> {
  const host = ownAddress();
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  let total = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    let onConnection = 0;
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      onConnection += 1;
      total += 1;
      const id = /[?&]id=([\w-]+)/.exec(chunk.toString("latin1"))?.[1] ?? "";
      onRequest({ socket, id, onConnection, total });
      for (const look of waiting) look();
    });
  });
  defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(port, host);
  await once(server, "listening");
  return {
    host,
    port,
    asked: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (total >= count && waiting.delete(look)) resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

/** The body that the load client takes for right. */
export function bodyFor(id: string, version = "1"): string {
  return JSON.stringify({ pid: process.pid, worker: "0", version, id });
}

export function answerWith(body: string, head = ""): string {
  return `HTTP/1.1 200 OK\r\n${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

export function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}
