/** Looks into a Node process through its inspector, which it opens for that and closes again. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { get } from "node:http";
import { connect, type Socket } from "node:net";
import { until } from "./wait.js";

export interface Heap {
  /** Bytes that are in use after everything that can be collected was. */
  readonly used: number;
  /** Bytes of resident memory then. */
  readonly resident: number;
}

/** Node's default port has to be free, and so has nobody else to be looked at meanwhile. */
export async function measureHeap(pid: number): Promise<Heap> {
  process.kill(pid, "SIGUSR1");
  const port = await until("the inspector to be open", () => findPort(pid), 20_000);
  const [target] = JSON.parse(await fetchText(port, "/json/list")) as { webSocketDebuggerUrl: string }[];
  if (!target) throw new Error("the inspector has no target");
  const session = await openSession(port, new URL(target.webSocketDebuggerUrl).pathname);
  // Twice: what the first one finalises is collected by the second.
  for (let count = 0; count < 3; count += 1) await session.ask("HeapProfiler.collectGarbage");
  const { usedSize } = (await session.ask("Runtime.getHeapUsage")) as { usedSize: number };
  const resident = readResident(pid);
  // It closes before it can answer.
  session.tell("Runtime.evaluate", {
    expression: "process.getBuiltinModule('inspector').close()",
  });
  session.close();
  await until("the inspector to be closed", () => findPort(pid) === undefined, 20_000);
  return { used: usedSize, resident };
}

/** The inspector listens on 127.0.0.1, as nothing else of naught's own does. */
function findPort(pid: number): number | undefined {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      } catch {
        return undefined;
      }
    }),
  );
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, "latin1").split("\n").slice(1)) {
    const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state === "0A" && inodes.has(inode) && local.startsWith("0100007F:"))
      return Number.parseInt(local.slice(9), 16);
  }
  return undefined;
}

function readResident(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return Number(kib) * 1024;
}

function fetchText(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

interface Session {
  ask(method: string, params?: object): Promise<unknown>;
  tell(method: string, params?: object): void;
  close(): void;
}

/** As much of a WebSocket as this takes: the protocol's answers are single frames of text. */
async function openSession(port: number, path: string): Promise<Session> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  );
  const waiting = new Map<number, (result: unknown) => void>();
  const opened = readFrames(socket, (text) => {
    const { id, result } = JSON.parse(text) as { id?: number; result?: unknown };
    if (id !== undefined) waiting.get(id)?.(result);
  });
  await opened;
  let last = 0;
  const tell = (method: string, params: object = {}): number => {
    last += 1;
    socket.write(frame(JSON.stringify({ id: last, method, params })));
    return last;
  };
  return {
    tell: (method, params) => void tell(method, params),
    ask: (method, params) => new Promise((resolve) => waiting.set(tell(method, params), resolve)),
    close: () => socket.end(),
  };
}

/** Resolves when the greeting is over. */
function readFrames(socket: Socket, hear: (text: string) => void): Promise<void> {
  let held = Buffer.alloc(0);
  let greeted = false;
  return new Promise((resolve) => {
    socket.on("data", (bytes) => {
      held = Buffer.concat([held, bytes]);
      if (!greeted) {
        const end = held.indexOf("\r\n\r\n");
        if (end < 0) return;
        held = held.subarray(end + 4);
        greeted = true;
        resolve();
      }
      for (let read = readFrame(held); read; read = readFrame(held)) {
        held = held.subarray(read.length);
        hear(read.text);
      }
    });
  });
}

function readFrame(bytes: Buffer): { text: string; length: number } | undefined {
  if (bytes.length < 10) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const [head, size] =
    short === 126
      ? [4, bytes.readUInt16BE(2)]
      : short === 127
        ? [10, Number(bytes.readBigUInt64BE(2))]
        : [2, short];
  if (bytes.length < head + size) return undefined;
  return { text: bytes.toString("utf8", head, head + size), length: head + size };
}

// A client has to mask what it sends; a mask of zeros is one.
function frame(text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.from([0x81, 0xfe, body.length >> 8, body.length & 0xff, 0, 0, 0, 0]);
  return Buffer.concat([head, body]);
}
