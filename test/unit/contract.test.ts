/** Contracts: what derives from them agrees with them, and both directions are validated. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Contract,
  contract,
  type Handlers,
  type Methods,
  notification,
  request,
} from "../../src/protocol/contract.js";
import { Daemon } from "../../src/protocol/daemon.js";
import { errorTable, NaughtError, protocolErrorTable } from "../../src/protocol/errors.js";
import { Host, Master } from "../../src/protocol/master.js";
import { connect } from "../../src/protocol/peer.js";
import { createPair } from "../../src/protocol/transport.js";
import { Watcher } from "../../src/protocol/watcher.js";
import { Supervisor, Worker } from "../../src/protocol/worker.js";
import { counts, plainHandlers } from "../support/protocol-wire.js";

const all = [Daemon, Watcher, Master, Host, Supervisor, Worker] as unknown as Contract<Methods>[];

/** A far side that answers with whatever it was told to. */
function callWith(handlers: Partial<Handlers<typeof Daemon>>) {
  const [near, far] = createPair();
  connect(far, Daemon, { ...plainHandlers, ...handlers }, Watcher);
  return connect(near, Watcher, { event() {}, waiting() {}, notice() {} }, Daemon).client;
}

test("every actor has its own name, and every method a validator for each direction", () => {
  assert.equal(new Set(all.map(({ actor }) => actor)).size, all.length);
  for (const { methods } of all) {
    for (const method of Object.values(methods)) {
      assert.equal(method.params(7).success, false);
      if (method.kind === "request") assert.equal(method.result(7).success, false);
    }
  }
});

test("codes of errors are positive, and unlike each other", () => {
  const codes = Object.values(errorTable).map(({ code }) => code);
  assert.equal(new Set(codes).size, codes.length);
  assert.ok(codes.every((code) => code > 0));
  assert.ok(Object.values(protocolErrorTable).every(({ code }) => code < -32000));
});

test("parameters that do not fit are refused, with the path of each and what was expected", async () => {
  const client = callWith({});
  const wrong = { workerCount: -1, args: ["a", 1] } as unknown as { workerCount: number };
  await assert.rejects(client.deploy(wrong), (error: Error & { code?: number; data?: unknown }) => {
    assert.equal(error.code, -32602);
    assert.match(error.message, /^daemon\/deploy: .*workerCount should be an integer from 0 to 4294967295/);
    assert.deepEqual(error.data, [
      { path: "workerCount", expected: "an integer from 0 to 4294967295" },
      { path: "args[1]", expected: "string" },
    ]);
    return true;
  });
});

test("at most ten paths are named, each shortened", async () => {
  const client = callWith({});
  const env = Object.fromEntries(
    Array.from({ length: 1000 }, (_, index) => [`${"k".repeat(1000)}${index}`, 1]),
  );
  const wrong = { args: Array(1000).fill(0), env } as unknown as { args: string[] };
  await assert.rejects(client.deploy(wrong), (error: Error & { data?: unknown }) => {
    assert.ok(error.message.length < 5000);
    assert.ok(Array.isArray(error.data) && error.data.length <= 10);
    return true;
  });
});

test("a result that does not fit is an InvalidAnswer", async () => {
  const client = callWith({ hello: () => ({ version: "1", protocol: 1, pid: -1 }) });
  await assert.rejects(client.hello({}), (error: unknown) => {
    assert.ok(error instanceof NaughtError);
    assert.equal(error.kind, "InvalidAnswer");
    assert.match(error.message, /^daemon\/hello: pid should be an integer/);
    assert.deepEqual(error.data, [{ path: "pid", expected: "an integer from 0 to 4294967295" }]);
    return true;
  });
});

test("unknown fields are tolerated, in parameters and in results", async () => {
  const newer = {
    phase: "online" as const,
    counts: { ...counts, warm: 1 },
    waitingFor: null,
    workers: [],
    more: true,
  };
  const client = callWith({ status: () => newer });
  assert.deepEqual(await client.status({ fancy: 1 } as object), newer);
});

test("a method without parameters that are needed names each of them", async () => {
  const client = callWith({});
  await assert.rejects(
    client.attachDeploy({} as { deploy: string }),
    /attachDeploy: deploy should be string/,
  );
});

test("a method that the far side does not know means that it is older", async () => {
  const [near, far] = createPair();
  const string = (input: unknown) =>
    typeof input === "object"
      ? ({ success: true, data: {} } as const)
      : ({ success: false, errors: [] } as const);
  const old = contract("daemon", { hello: request(string, string), gone: notification(string) });
  connect(far, old, { hello: () => ({}), gone() {} }, Watcher);
  const { client } = connect(near, Watcher, { event() {}, waiting() {}, notice() {} }, Daemon);
  await assert.rejects(
    client.status({}),
    (error: unknown) => error instanceof NaughtError && error.kind === "OlderPeer",
  );
});
