/** A steady stream of numbered datagrams to one address, each of which has to be answered. */
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { until } from "./wait.js";

export interface DatagramLoad {
  /** How many were sent. */
  readonly sent: number;
  /** The processes that have answered since this was asked last. */
  answerers(): Set<number>;
  /** Sends no more; fails when one stays without an answer. Resolves with how many there were. */
  stop(): Promise<number>;
}

export interface DatagramTarget {
  readonly host: string;
  readonly port: number;
  readonly type?: "udp4" | "udp6";
}

/** Milliseconds between two: what waits while nobody reads must fit into the socket's buffer. */
const pause = 4;

export async function startDatagrams(target: DatagramTarget): Promise<DatagramLoad> {
  const socket = await openClient(target);
  const waiting = new Set<number>();
  let sent = 0;
  let answerers = new Set<number>();
  socket.on("message", (message) => {
    const [pid, number] = String(message).split(" ").map(Number);
    answerers.add(pid ?? 0);
    waiting.delete(number ?? 0);
  });
  // Whatever the kernel has to say of a port without anybody is said by the missing answer, too.
  socket.on("error", () => {});
  const timer = setInterval(() => {
    sent += 1;
    waiting.add(sent);
    socket.send(String(sent), () => {});
  }, pause);
  return {
    get sent() {
      return sent;
    },
    answerers() {
      const known = answerers;
      answerers = new Set();
      return known;
    },
    async stop() {
      clearInterval(timer);
      const settled = until("the last answers", () => waiting.size === 0, 5_000);
      await settled.catch(() => {});
      socket.close();
      assert.deepEqual([...waiting], [], `${waiting.size} of ${sent} datagrams were answered by nobody`);
      return sent;
    },
  };
}

/** Sends one datagram, again and again, until it is answered; resolves with the answer. */
export async function askDatagram(target: DatagramTarget, text = "who?"): Promise<string> {
  const socket = await openClient(target);
  let answer: string | undefined;
  socket.on("message", (message) => {
    answer ??= String(message);
  });
  socket.on("error", () => {});
  try {
    return await until(`an answer to ${text}`, () => {
      if (answer === undefined) socket.send(text, () => {});
      return answer;
    });
  } finally {
    socket.close();
  }
}

async function openClient({ host, port, type = "udp4" }: DatagramTarget): Promise<Socket> {
  const socket = createSocket(type);
  socket.connect(port, host);
  await once(socket, "connect");
  return socket;
}
