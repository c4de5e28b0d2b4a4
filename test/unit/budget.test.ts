/** What all connections hold together: who has the largest part goes, and is told why. */
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { createBudget } from "../../src/protocol/budget.js";
import { Daemon } from "../../src/protocol/daemon.js";
import { errorTable } from "../../src/protocol/errors.js";
import { openFrames } from "../../src/protocol/frames.js";
import { limits } from "../../src/protocol/limits.js";
import { connect } from "../../src/protocol/peer.js";
import { Watcher } from "../../src/protocol/watcher.js";
import { openWire, plainHandlers, type WatcherClient, type Wire } from "../support/protocol-wire.js";
import { makeTemp } from "../support/temp.js";
import { until } from "../support/wait.js";

const big = "x".repeat(50_000);

const wires: Wire[] = [];
const closers: (() => void)[] = [];
afterEach(() => {
  for (const wire of wires.splice(0)) wire.socket.destroy();
  for (const close of closers.splice(0)) close();
});

function open(path: string): Wire {
  const wire = openWire(path);
  wires.push(wire);
  return wire;
}

async function serveAll(most: number) {
  const temp = makeTemp();
  const path = join(temp.dir, "s");
  const budget = createBudget(most);
  const clients: WatcherClient[] = [];
  const sockets: Socket[] = [];
  const finish: (() => void)[] = [];
  const stop = () => new Promise<Record<string, never>>((resolve) => finish.push(() => resolve({})));
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    const transport = openFrames(socket, limits, budget);
    clients.push(connect(transport, Daemon, { ...plainHandlers, stop }, Watcher).client);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    temp.remove();
  });
  return { path, clients, finish };
}

const stop = (id: number) => ({ jsonrpc: "2.0", id, method: "daemon/stop", params: { later: big } });
const hello = { jsonrpc: "2.0", id: "after", method: "daemon/hello" };

test("calls in flight count, of all connections together", { timeout: 30_000 }, async () => {
  const served = await serveAll(300_000);
  const [modest, greedy] = [open(served.path), open(served.path)];
  modest.send(stop(1), stop(2));
  await until("two calls", () => served.finish.length === 2);
  greedy.send(stop(1), stop(2), stop(3), stop(4), stop(5));
  const { id, error } = await greedy.next();
  assert.deepEqual([id, error?.code], [null, errorTable.Busy.code]);
  assert.match(error?.message ?? "", /at most 300000 bytes for all its connections/);
  await greedy.closed;
  modest.send(hello);
  assert.equal((await modest.next()).id, "after");
});

test("what is answered counts no more", { timeout: 30_000 }, async () => {
  const served = await serveAll(300_000);
  const wire = open(served.path);
  for (let round = 0; round < 10; round++) {
    wire.send(stop(1), stop(2), stop(3));
    await until("three calls", () => served.finish.length === 3);
    for (const each of served.finish.splice(0)) each();
    await wire.take(3);
  }
});

test("a message that is begun counts, and so does one in a batch", { timeout: 30_000 }, async () => {
  const served = await serveAll(300_000);
  const begun = open(served.path);
  begun.write(`Content-Length: 1000000\r\n\r\n${big.repeat(7)}`);
  assert.equal((await begun.next()).error?.code, errorTable.Busy.code);
  const batch = open(served.path);
  const body = JSON.stringify([stop(1), stop(2), stop(3), stop(4), stop(5), stop(6)]);
  batch.write(`Content-Length: ${body.length}\r\n\r\n${body}`);
  assert.equal((await batch.next()).error?.code, errorTable.Busy.code);
});

test("output that nobody reads counts, and goes with the one who does not read it", {
  timeout: 30_000,
}, async () => {
  const served = await serveAll(2_000_000);
  const four = Array.from({ length: 4 }, () => open(served.path));
  for (const wire of four) wire.send(hello);
  for (const wire of four) await wire.next();
  const [deaf, ...others] = four;
  deaf?.socket.pause();
  const counts = { booting: 0, online: 0, dying: 0, new_online: 0 };
  for (let sequence = 1; sequence <= 60; sequence++) {
    for (const client of served.clients)
      client.event({
        name: "Status",
        counts,
        waitingFor: null,
        sequence,
        time: "2026-01-31T23:59:59Z",
        detail: big,
      });
    // Those who read have read.
    await Promise.all(others.map((wire) => wire.next()));
  }
  deaf?.socket.resume();
  await deaf?.closed;
  for (const wire of others) {
    wire.send(hello);
    assert.equal((await wire.next()).id, "after");
  }
});
