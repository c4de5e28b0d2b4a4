/** What one connection may cost: time, messages in hand, and output that nobody reads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { hello, onWire } from "../support/protocol-on-wire.js";
import { openWire, serve } from "../support/protocol-wire.js";

onWire(
  "a message that is not complete in time is dropped, also when it trickles; whoever says nothing may stay",
  async (wire, served) => {
    const idle = openWire(served.path);
    wire.send(hello(1));
    const trickle = setInterval(() => wire.write("x"), 20);
    wire.write("Content-Length: 1000\r\n\r\n");
    assert.equal((await wire.next()).id, 1);
    const { error } = await wire.next();
    clearInterval(trickle);
    assert.match(error?.message ?? "", /within 0.2 seconds/);
    await wire.closed;
    idle.send(hello(2));
    assert.equal((await idle.next()).id, 2);
    idle.socket.destroy();
  },
  {},
  { seconds: 0.2 },
);

onWire(
  "a client that does not close its end is dropped when its time is over",
  async (wire, { sockets }) => {
    wire.write("nonsense!");
    await wire.closed;
    await sleep(300);
    assert.equal(sockets[0]?.destroyed, true);
  },
  {},
  { linger: 0.1 },
);

onWire("a client that closes its sending half gets every answer, then the end", async (wire) => {
  wire.send(...Array.from({ length: 50 }, (_, id) => hello(id)));
  wire.socket.end();
  await wire.closed;
  assert.equal(wire.frames.length, 50);
});

onWire("10,000 pipelined requests are answered, in the order of their completion", async (wire) => {
  wire.send(...Array.from({ length: 10_000 }, (_, id) => hello(id)));
  const answers = await wire.take(10_000);
  assert.deepEqual(
    answers.map(({ id }) => id),
    Array.from({ length: 10_000 }, (_, id) => id),
  );
});

const finish: (() => void)[] = [];
onWire(
  "a client with too many calls in flight is not read until some are answered, and loses none",
  async (wire) => {
    wire.send(...Array.from({ length: 500 }, (_, id) => ({ jsonrpc: "2.0", id, method: "daemon/stop" })));
    await sleep(100);
    // What one read has brought is handled; the next one waits.
    const begun = finish.length;
    wire.send(...Array.from({ length: 50 }, (_, id) => hello(id)));
    await sleep(100);
    assert.equal(finish.length, begun);
    assert.equal(wire.frames.length, 0);
    for (let done = 0; done < 500; done = finish.length) {
      for (const each of finish.splice(0)) each();
      await sleep(5);
      if (wire.frames.length >= 550) break;
    }
    await wire.take(550);
  },
  { stop: () => new Promise((resolve) => finish.push(() => resolve({}))) },
  { inHand: 10 },
);

onWire(
  "a client that does not read is not read either, and gets everything once it reads",
  async (wire) => {
    wire.socket.pause();
    const big = "x".repeat(100_000);
    wire.send(
      ...Array.from({ length: 100 }, (_, id) => ({
        jsonrpc: "2.0",
        id,
        method: "daemon/attachDeploy",
        params: { deploy: big },
      })),
    );
    await sleep(200);
    wire.socket.resume();
    assert.equal((await wire.take(100)).length, 100);
  },
  {},
  { unread: 300_000 },
);

test("unread output beyond the limit drops the client", { timeout: 20_000 }, async () => {
  const served = await serve({}, { queued: 1_000_000, linger: 0.01 });
  const wire = openWire(served.path);
  wire.send(hello(1));
  await wire.next();
  wire.socket.pause();
  const detail = "x".repeat(100_000);
  const counts = { booting: 0, online: 0, dying: 0, new_online: 0 };
  for (let sequence = 1; sequence <= 30; sequence++) {
    served.peers[0]?.client.event({
      name: "Status",
      counts,
      waitingFor: null,
      sequence,
      time: "2026-01-31T23:59:59Z",
      detail,
    });
  }
  await sleep(100);
  assert.equal(served.sockets[0]?.destroyed, true);
  served.close();
  wire.socket.destroy();
});
