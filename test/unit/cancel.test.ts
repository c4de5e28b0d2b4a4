/** `$/cancelRequest`: its call hears of it and is answered all the same; nobody else is disturbed. */
import assert from "node:assert/strict";
import type { CallContext } from "../../src/protocol/contract.js";
import { hello, onWire } from "../support/protocol-on-wire.js";
import { settled } from "../support/protocol-wire.js";

const cancel = (id: unknown) => ({ jsonrpc: "2.0", method: "$/cancelRequest", params: { id } });
const deploy = (id: unknown, name: string) => ({
  jsonrpc: "2.0",
  id,
  method: "daemon/deploy",
  params: { id: name },
});
/** Settles when it is cancelled, or asked to. */
const handlers = {
  deploy: ({ id = "" }: { id?: string }, { onCancel }: CallContext) =>
    new Promise<typeof settled>((resolve) =>
      onCancel(() => resolve({ ...settled, deploy: id, outcome: "aborted" } as never)),
    ),
};

onWire(
  "a call in flight hears of its cancel by its own id, whatever kind that is",
  async (wire) => {
    for (const id of [5, "five"]) {
      wire.send(deploy(id, `deploy ${id}`), hello("between"));
      assert.equal((await wire.next()).id, "between");
      wire.send(cancel(id));
      const answer = await wire.next();
      assert.deepEqual(
        [answer.id, answer.result],
        [id, { ...settled, deploy: `deploy ${id}`, outcome: "aborted" }],
      );
    }
  },
  handlers,
);

onWire(
  "a cancel that comes with its call is heard, too",
  async (wire) => {
    wire.send(deploy(1, "a"), deploy(2, "b"), cancel(1));
    assert.equal((await wire.next()).id, 1);
    wire.send(cancel(2));
    assert.equal((await wire.next()).id, 2);
  },
  handlers,
);

onWire("cancels of what is over, unknown, or no cancels at all are ignored", async (wire) => {
  wire.send(hello(1));
  await wire.next();
  wire.send(cancel(1), cancel(99), cancel(null), cancel({}), { jsonrpc: "2.0", method: "$/cancelRequest" });
  wire.send({ jsonrpc: "2.0", method: "$/cancelRequest", params: [1] });
  wire.send({ jsonrpc: "2.0", method: "daemon/stop", id: 2 }, cancel(2), hello(3));
  const answers = await wire.take(2);
  assert.deepEqual(answers.map(({ id, error }) => [id, error]).sort(), [
    [2, undefined],
    [3, undefined],
  ]);
  wire.socket.end();
  await wire.closed;
  assert.equal(wire.frames.length, 3);
});
