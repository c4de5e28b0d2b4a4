/** A stranger's end of a socket on which the Daemon contract is served: raw bytes out, parsed frames in. */
import { connect as connectSocket, createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { Client, Handlers } from "../../src/protocol/contract.js";
import { Daemon } from "../../src/protocol/daemon.js";
import { encodeFrame, openFrames } from "../../src/protocol/frames.js";
import { type Limits, limits } from "../../src/protocol/limits.js";
import { connect, type Peer } from "../../src/protocol/peer.js";
import { Watcher } from "../../src/protocol/watcher.js";
import { makeTemp } from "./temp.js";

export const counts = { booting: 0, online: 1, dying: 0, new_online: 0 };
export const settled = { deploy: "d", outcome: "done", counts, killed: 0 } as const;

/** Answers everything at once. */
export const plainHandlers: Handlers<typeof Daemon> = {
  hello: () => ({ version: "0", protocol: 1, pid: 1 }),
  start: () => ({ outcome: "ready", counts }),
  status: () => ({ phase: "online", counts, waitingFor: null, workers: [] }),
  deploy: ({ id = "d" }) => ({ ...settled, deploy: id }),
  attachDeploy: ({ deploy }) => ({ ...settled, deploy }),
  abortDeploy: () => settled,
  stop: () => ({}),
  watch: () => ({}),
  logs: () => ({ text: "", cursor: "-:0:0", end: true }),
  reopenLogs: () => ({}),
  lifeline: () => ({ grace: 0, timeout: 0 }),
};

export type WatcherClient = Client<typeof Watcher>;

export interface Served {
  readonly path: string;
  readonly peers: readonly Peer<typeof Watcher>[];
  readonly sockets: readonly Socket[];
  close(): void;
}

/** `handlers` may need the client that they serve. */
export function serve(
  handlers:
    | Partial<Handlers<typeof Daemon>>
    | ((client: () => WatcherClient) => Partial<Handlers<typeof Daemon>>) = {},
  bounds: Partial<Limits> = {},
): Promise<Served> {
  const temp = makeTemp();
  const path = join(temp.dir, "s");
  const peers: Peer<typeof Watcher>[] = [];
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let peer: Peer<typeof Watcher> | undefined;
    const client = (): WatcherClient => {
      if (!peer) throw new Error("too early");
      return peer.client;
    };
    const own = typeof handlers === "function" ? handlers(client) : handlers;
    peer = connect(
      openFrames(socket, { ...limits, ...bounds }),
      Daemon,
      { ...plainHandlers, ...own },
      Watcher,
    );
    peers.push(peer);
    sockets.push(socket);
    socket.once("close", () => {
      // A fuzz run makes too many of them to keep them all.
      if (sockets.length < 100) return;
      peers.splice(sockets.indexOf(socket), 1);
      sockets.splice(sockets.indexOf(socket), 1);
    });
  });
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
    temp.remove();
  };
  return new Promise((resolve) => server.listen(path, () => resolve({ path, peers, sockets, close })));
}

export interface Frame {
  readonly jsonrpc: string;
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

export interface Wire {
  readonly socket: Socket;
  /** Every frame so far. */
  readonly frames: Frame[];
  write(bytes: string | Buffer): void;
  send(...messages: unknown[]): void;
  /** Resolves with the next frame that nobody has taken. */
  next(): Promise<Frame>;
  take(count: number): Promise<Frame[]>;
  /** Resolves when the far side has closed, or the connection broke. */
  readonly closed: Promise<void>;
}

export function openWire(path: string): Wire {
  const socket = connectSocket({ path, allowHalfOpen: true });
  const frames: Frame[] = [];
  let taken = 0;
  let wake: () => void = () => {};
  let over = false;
  let buffer: Buffer = Buffer.alloc(0);
  const closed = new Promise<void>((resolve) => {
    for (const name of ["end", "close"] as const) {
      socket.on(name, () => {
        over = true;
        resolve();
        wake();
      });
    }
  });
  let failure = "";
  socket.on("error", ({ message }) => {
    failure = `: ${message}`;
  });
  socket.on("data", (chunk) => {
    const found = cutFrames(Buffer.concat([buffer, chunk]));
    frames.push(...found.frames);
    buffer = found.rest;
    wake();
  });
  const next = async (): Promise<Frame> => {
    for (;;) {
      const frame = frames[taken];
      if (frame) {
        taken += 1;
        return frame;
      }
      if (over) throw new Error(`the connection was closed${failure}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    socket,
    frames,
    closed,
    next,
    write: (bytes) => void socket.write(bytes),
    send: (...messages) => void socket.write(Buffer.concat(messages.map((message) => encodeFrame(message)))),
    async take(count) {
      const found: Frame[] = [];
      while (found.length < count) found.push(await next());
      return found;
    },
  };
}

/** Every frame that is complete, and what is left after the last. */
export function cutFrames(bytes: Buffer): { readonly frames: Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = [];
  let rest = bytes;
  for (;;) {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) return { frames, rest };
    const length = Number(/Content-Length: (\d+)/.exec(rest.toString("latin1", 0, end))?.[1]);
    if (rest.length < end + 4 + length) return { frames, rest };
    frames.push(JSON.parse(rest.toString("utf8", end + 4, end + 4 + length)) as Frame);
    rest = rest.subarray(end + 4 + length);
  }
}
