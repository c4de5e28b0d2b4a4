/** Peers over the memory pair: calls, notifications, errors, order and ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Handlers } from "../../src/protocol/contract.js";
import { Daemon } from "../../src/protocol/daemon.js";
import { type ErrorName, errorTable, NaughtError } from "../../src/protocol/errors.js";
import { connect } from "../../src/protocol/peer.js";
import { createPair } from "../../src/protocol/transport.js";
import { Watcher } from "../../src/protocol/watcher.js";
import { counts, plainHandlers, settled } from "../support/protocol-wire.js";

type DaemonHandlers = Handlers<typeof Daemon>;

function start(handlers: Partial<DaemonHandlers> = {}, watcher: Partial<Handlers<typeof Watcher>> = {}) {
  const [near, far] = createPair();
  const server = connect(far, Daemon, { ...plainHandlers, ...handlers }, Watcher);
  const caller = connect(near, Watcher, { event() {}, waiting() {}, notice() {}, ...watcher }, Daemon);
  return { server, caller, client: caller.client };
}

const event = (sequence: number) => ({
  name: "Status" as const,
  counts,
  waitingFor: null,
  sequence,
  time: "2026-01-31T23:59:59Z",
});

const isError = (kind: ErrorName) => (error: unknown) => error instanceof NaughtError && error.kind === kind;

test("every error of the table comes over by its code, with message and data", async () => {
  for (const kind of Object.keys(errorTable) as ErrorName[]) {
    const { client } = start({
      stop() {
        throw new NaughtError(kind, `about ${kind}`, { why: [kind] });
      },
    });
    await assert.rejects(client.stop({}), (error: unknown) => {
      assert.ok(error instanceof NaughtError);
      assert.deepEqual([error.kind, error.message, error.data], [kind, `about ${kind}`, { why: [kind] }]);
      return true;
    });
  }
});

test("an exception in a handler is an internal error, and the next call is answered", async () => {
  const { client } = start({
    stop() {
      throw new TypeError("oops");
    },
  });
  await assert.rejects(client.stop({}), (error: Error & { code?: number }) => error.code === -32603);
  assert.equal((await client.hello({})).version, "0");
});

test("an error with a code that nobody knows keeps it", async () => {
  const [near, far] = createPair();
  far.reader.listen((message) => {
    const { id } = message as unknown as { id: number };
    far.send({ jsonrpc: "2.0", id, error: { code: 4711, message: "new" } });
  });
  const { client } = connect(near, Watcher, { event() {}, waiting() {}, notice() {} }, Daemon);
  await assert.rejects(client.hello({}), (error: Error & { code?: number }) => {
    return !(error instanceof NaughtError) && error.code === 4711 && error.message === "new";
  });
});

test("calls that wait reject with Lost when the connection ends, whoever ends it", async () => {
  for (const end of ["server", "caller"] as const) {
    const peers = start({ deploy: () => new Promise(() => {}) });
    const calls = [peers.client.deploy({}), peers.client.deploy({})];
    await turn();
    peers[end].close();
    for (const call of calls) await assert.rejects(call, isError("Lost"));
  }
});

test("on a closed connection a call rejects at once, a notification is dropped, and onClose still tells", async () => {
  const { server, caller, client } = start();
  caller.close();
  await new Promise<void>((resolve) => caller.onClose(resolve));
  await assert.rejects(client.hello({}), isError("Lost"));
  await new Promise<void>((resolve) => caller.onClose(resolve));
  server.client.event(event(1));
});

test("a transport that was closed before tells so, and rejects at once", async () => {
  const [near] = createPair();
  near.close();
  await turn();
  const peer = connect(near, Watcher, { event() {}, waiting() {}, notice() {} }, Daemon);
  await assert.rejects(peer.client.hello({}), isError("Lost"));
  await new Promise<void>((resolve) => peer.onClose(resolve));
});

test("what came before the end is handled before the end: events and the answer are not lost", async () => {
  const seen: number[] = [];
  const { server, client } = start(
    {
      stop() {
        for (let sequence = 1; sequence <= 50; sequence++) server.client.event(event(sequence));
        setImmediate(() => server.close());
        return {};
      },
    },
    { event: ({ sequence }) => void seen.push(sequence) },
  );
  await client.stop({});
  assert.equal(seen.length, 50);
});

test("whoever awaits the last answer hears it before the end is told", async () => {
  for (let round = 0; round < 20; round++) {
    const seen: string[] = [];
    const { server, caller, client } = start({
      stop() {
        queueMicrotask(() => queueMicrotask(() => setImmediate(() => server.close())));
        return {};
      },
    });
    const closed = new Promise<void>((resolve) => caller.onClose(resolve)).then(() => seen.push("end"));
    const answer = async (): Promise<Record<string, never>> => client.stop({});
    await Promise.all([
      closed,
      answer()
        .then(async (result) => result)
        .then(() => seen.push("answer")),
    ]);
    assert.deepEqual(seen, ["answer", "end"]);
  }
});

test("notifications come in their order, and before the answer that was given after them", async () => {
  const seen: (number | string)[] = [];
  const { server, client } = start(
    {
      deploy() {
        for (let sequence = 1; sequence <= 100; sequence++) server.client.event(event(sequence));
        return settled;
      },
    },
    { event: ({ sequence }) => void seen.push(sequence) },
  );
  await client.deploy({}).then(() => seen.push("answer"));
  assert.deepEqual(seen, [...Array.from({ length: 100 }, (_, index) => index + 1), "answer"]);
});

test("answers come in the order of completion, whatever the order of the calls", async () => {
  const finish: (() => void)[] = [];
  const { client } = start({
    deploy: ({ id = "" }) => new Promise((resolve) => finish.push(() => resolve({ ...settled, deploy: id }))),
  });
  const seen: string[] = [];
  const calls = ["a", "b", "c"].map((id) => client.deploy({ id }).then(({ deploy }) => seen.push(deploy)));
  await until(() => finish.length === 3);
  for (const index of [1, 2, 0]) finish[index]?.();
  await Promise.all(calls);
  assert.deepEqual(seen, ["b", "c", "a"]);
});

test("the memory pair copies: neither side sees the other's later changes", async () => {
  const result = { phase: "online" as const, counts: { ...counts }, waitingFor: null, workers: [] };
  let received: unknown;
  const { client } = start({
    status: () => result,
    deploy(params) {
      received = params;
      return settled;
    },
  });
  const params = { args: ["a"] };
  const answer = client.deploy(params);
  params.args.push("b");
  await answer;
  assert.deepEqual(received, { args: ["a"] });
  const status = await client.status({});
  result.counts.online = 99;
  assert.equal(status.counts.online, 1);
});

test("an invalid notification is ignored", async () => {
  let seen = 0;
  const { server, client } = start(
    {},
    {
      event() {
        seen += 1;
      },
    },
  );
  server.client.event({ ...event(1), sequence: -1 });
  server.client.event(event(2));
  await client.hello({});
  assert.equal(seen, 1);
});

async function until(done: () => boolean): Promise<void> {
  while (!done()) await turn();
}
