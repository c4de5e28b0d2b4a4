/** The socket under attack: whatever is sent to it, the server goes on serving, and the daemon is as it was before. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeFrame } from "../../src/protocol/frames.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e } from "../support/naught.js";
import { countDescriptors } from "../support/processes.js";
import { harmless, openFuzz } from "../support/protocol-fuzz.js";
import { openWire } from "../support/protocol-wire.js";
import { openRandom } from "../support/random.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

const random = openRandom();
const megabyte = 1024;

test(
  `random bytes, HTTP, TLS, giants, clients that vanish, idle ones, and thousands of connects (SEED=${random.seed})`,
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "1", server("http.cjs")]);
    const path = naught.path("naught.ipc");
    const daemon = naught.daemon();
    const load = await startLoad(naught, { slowMs: 500 });

    // Once, so that what is loaded or compiled at first use, and the heap that a busy daemon works in, is not taken for growth.
    await attack(path, 1000);
    await sleep(300);
    const before = { memory: readMemory(daemon), descriptors: countDescriptors(daemon) };
    await attack(path, 2000);

    const status = await naught.succeed(["status"]);
    assert.equal(status.stdout, "workers online: 1\n");
    await until("descriptors to be as before", () => countDescriptors(daemon) <= before.descriptors);
    const grown = (readMemory(daemon) - before.memory) / megabyte;
    assert.ok(grown < 10, `the daemon has grown by ${grown.toFixed(1)} MB`);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(naught.daemon(), daemon);
    assertUnhurt(await load.stop());
    await naught.succeed(["stop"]);
  }),
);

async function attack(path: string, rounds: number): Promise<void> {
  const idle = Array.from({ length: 200 }, () => dial(path));
  const fuzz = openFuzz(random, harmless);
  for (let round = 0; round < rounds; round++) {
    const socket = dial(path);
    socket.write(fuzz.input().bytes);
    socket.end();
    if (round % 20 === 0) await over(socket);
  }
  await assertAnswered(path);
  await giants(path);
  await vanish(path, rounds / 10);
  for (let round = 0; round < rounds; round++) {
    const socket = dial(path);
    socket.once("connect", () => socket.destroy());
    if (round % 50 === 0) await over(socket);
  }
  await assertAnswered(path);
  for (const socket of idle) socket.destroy();
}

async function giants(path: string): Promise<void> {
  const beginnings = [
    "Content-Length: 10000000000\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    Buffer.from("16030100f8010000f4030300", "hex"),
    `Content-Type: ${"x".repeat(100_000)}`,
  ];
  for (const beginning of beginnings) {
    const wire = openWire(path);
    wire.write(beginning);
    assert.equal((await wire.next()).error?.code, -32600);
    await wire.closed;
    wire.socket.destroy();
  }
  for (const body of ["[".repeat(1_000_000), `[${"1,".repeat(500_000)}1]`]) {
    const wire = openWire(path);
    wire.write(`Content-Length: ${body.length}\r\n\r\n${body}`);
    assert.equal((await wire.next()).error?.code, -32600);
    wire.socket.destroy();
  }
}

/** Clients that are gone after each byte of a call, and before its answer, or while they are told events. */
async function vanish(path: string, rounds: number): Promise<void> {
  const call = encodeFrame({ jsonrpc: "2.0", id: 1, method: "daemon/status" });
  const watch = encodeFrame({ jsonrpc: "2.0", id: 1, method: "daemon/watch" });
  for (let round = 0; round < rounds; round++) {
    const socket = dial(path);
    socket.write(
      round % 2 === 0 ? call.subarray(0, (round * 7) % (call.length + 1)) : Buffer.concat([watch, call]),
    );
    await new Promise((resolve) => socket.once("connect", resolve));
    if (round % 3 === 0) await sleep(1);
    socket.destroy();
  }
}

/** The queue of connections may be full for a moment. Whoever is answered came after everybody in it. */
async function assertAnswered(path: string): Promise<void> {
  await until("an answer", async () => {
    const wire = openWire(path);
    wire.send({ jsonrpc: "2.0", id: 1, method: "daemon/status" });
    const answer = await wire.next().catch(() => undefined);
    wire.socket.destroy();
    return answer?.result !== undefined;
  });
}

function dial(path: string): Socket {
  const socket = connectSocket(path);
  // A full queue, or an answer that comes after the end.
  socket.on("error", () => {});
  return socket.resume();
}

function over(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

/** Resident memory in KiB. */
function readMemory(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}
