/** Pairs of connected pipes inside one process: a raw handle to read from, as a process channel gives it, and its writer. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Handle } from "../../src/protocol/contract.js";

export interface Pair {
  readonly handle: Handle;
  readonly writer: Socket;
}

export interface Pairs {
  open(): Promise<Pair>;
  close(): Promise<void>;
}

/** What node:cluster uses, too, to get a connection before a socket is made of it. */
type RawServer = Server & { _handle: { onconnection: (status: number, handle: Handle) => void } };

export async function createPairs(): Promise<Pairs> {
  const directory = await mkdtemp(join(tmpdir(), "naught-pipes-"));
  const server = createServer() as RawServer;
  server.listen(join(directory, "s"));
  await once(server, "listening");
  const accepting: ((handle: Handle) => void)[] = [];
  server._handle.onconnection = (_status, handle) => accepting.shift()?.(handle);

  async function open(): Promise<Pair> {
    const accepted = new Promise<Handle>((resolve) => accepting.push(resolve));
    const writer = connect(join(directory, "s"));
    await once(writer, "connect");
    return { writer, handle: await accepted };
  }

  async function close(): Promise<void> {
    server.close();
    await rm(directory, { recursive: true });
  }

  return { open, close };
}

/** Writes all of it, and ends the pipe. */
export async function sayLast(writer: Socket, bytes: string | Buffer): Promise<void> {
  const closed = once(writer, "close");
  writer.end(bytes);
  await closed;
}
