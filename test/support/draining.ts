/** A server in a process of its own that drains when the test says so, and raw connections to it. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type ConnectionOptions, connect as connectSecurely } from "node:tls";
import { build } from "esbuild";
import { server } from "./servers.js";

export interface Draining {
  readonly address: string | { readonly port: number };
  say(word: string): void;
  /** Says a word, and waits for an answer that has this key. */
  ask<K extends string>(word: string, key: K): Promise<Readonly<Record<K, unknown>>>;
  /** Resolves when the drain has begun. */
  drain(grace: number, timeout: number): Promise<void>;
  /** Resolves when the drain is over, with its milliseconds. */
  drained(): Promise<number>;
}

/** The drain alone, as a worker preloads it. */
export async function bundlePreload(): Promise<{ readonly path: string; remove(): void }> {
  const path = join(tmpdir(), `naught-drain-${process.pid}.cjs`);
  const entry = join(import.meta.dirname, "drain-preload.js");
  await build({
    entryPoints: [entry],
    outfile: path,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
  });
  return { path, remove: () => rmSync(path, { force: true }) };
}

/** Starts a server under test; `undefined` for one that never tells an address. */
export async function startServer(
  t: TestContext,
  preload: string,
  script: string,
  env: Readonly<Record<string, string>> = {},
  execArgv: readonly string[] = [],
): Promise<Draining> {
  const child = fork(server(script), {
    execArgv: ["--require", preload, ...execArgv],
    env: { ...process.env, ...env },
  });
  t.after(() => child.kill("SIGKILL"));
  const heard: unknown[] = [];
  child.on("message", (message) => heard.push(message));

  const ended = once(child, "exit").then(([code, signal]) => {
    throw new Error(`the server has ended: ${code ?? signal}`);
  });
  ended.catch(() => {});

  /** Each message is heard once, by whoever asked for it. */
  async function hear(matches: (message: unknown) => boolean): Promise<unknown> {
    for (;;) {
      const index = heard.findIndex(matches);
      if (index >= 0) return heard.splice(index, 1)[0];
      await Promise.race([once(child, "message"), ended]);
    }
  }
  const has = (key: string) => (message: unknown) =>
    typeof message === "object" && message !== null && key in message;

  const first = (await hear((message) => has("address")(message) || has("forgotten")(message))) as object;
  if (!("address" in first)) heard.push(first);
  let begun = 0;
  return {
    address: ("address" in first ? first.address : "") as Draining["address"],
    say: (word) => void child.send(word),
    ask: async (word, key) => {
      child.send(word);
      return (await hear(has(key))) as never;
    },
    drain: async (grace, timeout) => {
      begun = performance.now();
      child.send({ drain: { grace, timeout } });
      await hear((message) => message === "draining");
    },
    drained: async () => {
      await hear((message) => message === "drained");
      return performance.now() - begun;
    },
  };
}

export interface Dial {
  readonly socket: Socket;
  /** Sends a GET request. */
  get(path: string, ...headers: string[]): void;
  /** Resolves with everything that came, once this is a part of it. */
  until(part: string): Promise<string>;
  /** Resolves when the server has closed it, with everything that came. */
  closed(): Promise<string>;
  isOpen(): boolean;
}

export async function dial(t: TestContext, { address }: Draining): Promise<Dial> {
  const socket =
    typeof address === "string" ? connect(address) : connect({ port: address.port, host: "127.0.0.1" });
  await once(socket, "connect");
  return watch((end) => t.after(end), socket);
}

export async function dialSecurely(
  t: TestContext,
  { address }: Draining,
  options: ConnectionOptions = {},
): Promise<Dial> {
  const { port } = address as { port: number };
  const socket = connectSecurely({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect");
  return watch((end) => t.after(end), socket);
}

/** `defer` is told what has to be done when the test is over. */
export function watch(defer: (cleanup: () => unknown) => void, socket: Socket): Dial {
  defer(() => socket.destroy());
  let text = "";
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(text)));
  socket.setNoDelay(true).setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    text += chunk;
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    text += `<${error.code}>`;
  });
  return {
    socket,
    get: (path, ...headers) =>
      void socket.write(["GET ", path, " HTTP/1.1\r\nHost: a\r\n", ...headers, "\r\n"].join("")),
    until: async (part) => {
      while (!text.includes(part)) {
        if (socket.closed) throw new Error(`closed without ${JSON.stringify(part)}: ${JSON.stringify(text)}`);
        await Promise.race([once(socket, "data"), closed]);
      }
      return text;
    },
    closed: () => closed,
    isOpen: () => !socket.closed && !socket.readableEnded,
  };
}
