/** Batches: the examples of JSON-RPC 2.0 § 7 in our words, and what limits them. */
import assert from "node:assert/strict";
import { framed, hello, onWire } from "../support/protocol-on-wire.js";
import type { Frame } from "../support/protocol-wire.js";

const batch = (...messages: unknown[]) => framed(JSON.stringify(messages));
const notify = (method: string) => ({ jsonrpc: "2.0", method });
const read = (frame: unknown) => {
  assert.ok(Array.isArray(frame), JSON.stringify(frame));
  return (frame as Frame[]).map(({ id, error }) => [id, error?.code]);
};

onWire("the calls of a batch are answered together, its notifications are not", async (wire) => {
  wire.write(batch(hello(1), notify("daemon/hello"), hello("two"), { foo: "boo" }, hello(null)));
  const answers = read(await wire.next());
  assert.deepEqual(new Set(answers.map((each) => each.join(" "))), new Set([" -32600", " ", "1 ", "two "]));
  assert.equal(answers.length, 4);
});

onWire("what is no message is answered one by one; an empty batch and bad JSON once", async (wire) => {
  wire.write(batch(1, 2, [hello(1)]));
  assert.deepEqual(read(await wire.next()), [
    [null, -32600],
    [null, -32600],
    [null, -32600],
  ]);
  wire.write(batch());
  assert.equal((await wire.next()).error?.code, -32600);
  wire.write(framed('[{"jsonrpc":"2.0","method":"daemon/hello"},{"jsonrpc"]'));
  assert.equal((await wire.next()).error?.code, -32700);
});

onWire("a batch of notifications has no answer", async (wire) => {
  wire.write(batch(notify("daemon/hello"), notify("daemon/nope")));
  wire.send(hello("after"));
  assert.equal((await wire.next()).id, "after");
});

onWire("two batches and a call in flight with the same ids do not get each other's answers", async (wire) => {
  wire.write(batch(hello(1), hello(1)));
  wire.send(hello(1));
  wire.write(batch(hello(1), { jsonrpc: "2.0", id: 2, method: "daemon/nope" }));
  const frames = await wire.take(3);
  const sizes = frames.map((frame) => (Array.isArray(frame) ? read(frame).length : 1)).sort();
  assert.deepEqual(sizes, [1, 2, 2]);
});

const finish: (() => void)[] = [];
onWire(
  "a batch waits for its slowest call, and other calls do not wait for the batch",
  async (wire) => {
    wire.write(batch(hello(1), { jsonrpc: "2.0", id: 2, method: "daemon/stop" }));
    wire.send(hello(3));
    assert.equal((await wire.next()).id, 3);
    for (const each of finish) each();
    assert.deepEqual(read(await wire.next()), [
      [1, undefined],
      [2, undefined],
    ]);
  },
  { stop: () => new Promise((resolve) => finish.push(() => resolve({}))) },
);

onWire("a client that closes its sending half gets its batch, then the end", async (wire) => {
  wire.write(batch(hello(1), hello(2)));
  wire.socket.end();
  await wire.closed;
  assert.equal(read(wire.frames[0]).length, 2);
});

onWire(
  "a batch that is too long is refused as a whole",
  async (wire) => {
    wire.write(batch(hello(1), hello(2), hello(3)));
    const { id, error } = await wire.next();
    assert.deepEqual([id, error?.code], [null, -32600]);
    assert.match(error?.message ?? "", /at most 2 messages/);
    wire.write(batch(hello(1), hello(2)));
    assert.equal(read(await wire.next()).length, 2);
  },
  {},
  { batch: 2 },
);
