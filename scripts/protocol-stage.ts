/** A daemon of its own for the examples of protocol.md: started over its channel, spoken to over its socket. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A message as it was on the wire. */
export interface Message {
  readonly jsonrpc: string;
  readonly id?: number | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number };
}

export interface Stage {
  readonly dir: string;
  path(name: string): string;
  /** The parameters of `daemon/start` for a script of the stage. */
  startParams(script: string): Record<string, unknown>;
  spawnDaemon(): ChildProcess;
  close(): void;
}

const scripts = {
  "server.js": `process.send("online"); process.on("message", () => process.exit()); setInterval(() => {}, 1e6);`,
  "never-online.js": "setInterval(() => {}, 1e6);",
  "stubborn.js": `process.send("online"); process.on("message", () => {}); setInterval(() => {}, 1e6);`,
};

export function openStage(dist: string): Stage {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "nd-")));
  const path = (name: string) => join(dir, name);
  for (const [name, text] of Object.entries(scripts)) writeFileSync(path(name), text);
  const daemons: ChildProcess[] = [];
  return {
    dir,
    path,
    startParams: (script) => ({
      ipcFile: path("naught.ipc"),
      pidFile: path("naught.pid"),
      logs: { log: path("naught.log"), stdout: "/dev/null", stderr: path("stderr.log"), maxSize: 10485760 },
      workerCount: 1,
      daemonMode: true,
      removeOldIpc: false,
      launch: { script: path(script), args: [], nodeArgs: [], env: { PATH: "/usr/bin:/bin" }, cwd: dir },
      drain: { grace: 10, timeout: 30 },
      listenFds: [],
    }),
    spawnDaemon() {
      const stdio = ["ignore", "ignore", "ignore", "ipc"] as const;
      const daemon = spawn(process.execPath, [join(dist, "daemon.cjs")], { stdio: [...stdio], cwd: dir });
      daemons.push(daemon);
      return daemon;
    },
    close() {
      // A daemon that is merely killed is brought back by its master. One that has ended in order is not there any more.
      const stop = [join(dist, "naught.cjs"), "stop", "--timeout", "0", path("naught.ipc")];
      spawnSync(process.execPath, stop, { stdio: "ignore", timeout: 10_000 });
      for (const daemon of daemons) daemon.kill("SIGKILL");
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** One conversation, with all that was said in it. */
export interface Talk {
  /** Sends a request and resolves with its answer. */
  ask(method: string, params?: unknown): Promise<Exchange>;
  /** Resolves with the first notification of that name that comes from now on. */
  hear(method: string): Promise<Message>;
  close(): void;
}

export interface Exchange {
  readonly request: Message;
  readonly answer: Message;
}

/** Over the process channel, where every message is wrapped. */
export function talkOverChannel(daemon: ChildProcess): Talk {
  const talk = createTalk(
    (message) => void daemon.send({ naught: 1, rpc: message }),
    () => daemon.disconnect(),
  );
  daemon.on("message", ({ rpc }: { rpc: Message }) => talk.receive(rpc));
  return talk;
}

export interface SocketTalk extends Talk {
  send(bytes: string): void;
  /** Resolves with the next answer that bears this id. */
  hearAnswer(id: number | null): Promise<Message>;
}

export async function talkOverSocket(path: string): Promise<SocketTalk> {
  const socket = await open(path);
  const write = (bytes: string) => void socket.write(bytes);
  const talk = createTalk(
    (message) => write(frame(JSON.stringify(message))),
    () => socket.destroy(),
  );
  let rest: Buffer = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const [head, length] = /^Content-Length: (\d+)\r\n\r\n/.exec(rest.toString("latin1", 0, 100)) ?? [];
      if (head === undefined || rest.length < head.length + Number(length)) return;
      const end = head.length + Number(length);
      const message = JSON.parse(rest.toString("utf8", head.length, end)) as Message;
      rest = rest.subarray(end);
      talk.receive(message);
    }
  });
  return { ...talk, send: write, hearAnswer: (id) => talk.take((message) => message.id === id) };
}

export function frame(body: string): string {
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function createTalk(send: (message: Message) => void, close: () => void) {
  const waiting: { wanted: (message: Message) => boolean; resolve: (message: Message) => void }[] = [];
  let last = 0;
  const take = (wanted: (message: Message) => boolean): Promise<Message> =>
    new Promise((resolve) => void waiting.push({ wanted, resolve }));
  return {
    take,
    async ask(method: string, params?: unknown): Promise<Exchange> {
      last += 1;
      const id = last;
      const request = { jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) };
      const answer = take((message) => message.id === id && message.method === undefined);
      send(request);
      return { request, answer: await answer };
    },
    hear: (method: string) => take((message) => message.method === method),
    receive(message: Message) {
      const index = waiting.findIndex(({ wanted }) => wanted(message));
      waiting.splice(index, index < 0 ? 0 : 1)[0]?.resolve(message);
    },
    close,
  };
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path, () => resolve(socket));
    socket.once("error", reject);
  });
}
