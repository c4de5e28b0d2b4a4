/** The protocol against a real daemon: what it says of itself, a deploy that is asked for twice, a watcher that comes back. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { readHostId } from "../../src/actors/host-id.js";
import type { Hello, NaughtEvent, Settled, Status, Watched } from "../../src/protocol/types.js";
import { e2e, type Naught } from "../support/naught.js";
import { type Frame, openWire, type Wire } from "../support/protocol-wire.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

/** Reads until the answer comes; events on the way are collected. */
async function call<T>(
  wire: Wire,
  method: string,
  params: object = {},
  events: NaughtEvent[] = [],
): Promise<T> {
  wire.send({ jsonrpc: "2.0", id: method, method, params });
  for (;;) {
    const frame: Frame = await wire.next();
    if (frame.method === "watcher/event") events.push(frame.params as NaughtEvent);
    if (frame.id !== method) continue;
    assert.equal(frame.error, undefined, JSON.stringify(frame.error));
    return frame.result as T;
  }
}

const dial = (naught: Naught): Wire => openWire(naught.path("naught.ipc"));

test(
  "hello and status tell who answers, what serves, on what, and at what cost; but no value of the environment",
  e2e(async (naught) => {
    const secret = `hunter2${process.pid}`;
    const env = { PASSWORD_OF_THE_TEST: secret };
    await naught.succeed(["start", "--worker-count", "2", server("http.cjs"), "--flag"], { env });
    const wire = dial(naught);
    const hello = await call<Hello>(wire, "daemon/hello");
    assert.equal(hello.pid, naught.daemon());
    assert.equal(hello.hostId, readHostId());
    assert.ok(hello.methods?.includes("daemon/deploy") && hello.features?.includes("cancel"));
    const ask = (): Promise<Status> => call<Status>(wire, "daemon/status");
    const first = await ask();
    assert.equal(first.master?.pid, hello.master);
    assert.deepEqual(first.serving?.args, ["--flag"]);
    assert.ok(first.serving?.env.includes("PASSWORD_OF_THE_TEST"));
    assert.ok((first.uptime ?? -1) >= (hello.uptime ?? 0));
    assert.equal(first.versions?.node, process.version);
    const [socket] = first.sockets ?? [];
    const accepting = socket?.queues.flatMap(({ workers }) => workers.map(({ slot }) => slot)) ?? [];
    assert.deepEqual([...new Set(accepting)].sort(), [0, 1]);
    assert.ok(first.workers.every(({ restarts, since }) => restarts === 0 && since !== undefined));
    await until("the first look at /proc", async () => (await ask()).workers.every(({ usage }) => usage));
    const { workers, daemon } = await ask();
    for (const { usage } of [...workers, { usage: daemon?.usage }])
      assert.ok(usage && usage.memory > 1e7 && usage.age < 6, JSON.stringify(usage));
    const events: NaughtEvent[] = [];
    await call(wire, "daemon/deploy", { id: "d" }, events);
    assert.ok(events.length > 4);
    const told = [
      JSON.stringify([hello, await ask(), events]),
      readFileSync(naught.path("naught.log"), "utf8"),
    ];
    for (const each of told) assert.ok(!each.includes(secret));
    const discovered = await call<{ openrpc: string }>(wire, "rpc.discover");
    assert.match(discovered.openrpc, /^1\./);
    wire.socket.destroy();
    await naught.succeed(["stop"]);
  }),
);

test(
  "a deploy whose connection is cut is made once, and the retry gets its result, during it and after it",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "1", server("http.cjs")]);
    const deploy = { id: "release-2" };
    const cut = dial(naught);
    cut.send({ jsonrpc: "2.0", id: 1, method: "daemon/deploy", params: deploy });
    await until("the first event", () => cut.frames.length > 0);
    cut.socket.destroy();
    const wire = dial(naught);
    const settled = await call<Settled>(wire, "daemon/deploy", deploy);
    assert.deepEqual([settled.deploy, settled.outcome], ["release-2", "done"]);
    assert.deepEqual(await call<Settled>(wire, "daemon/deploy", deploy), settled);
    assert.equal((await call<Status>(wire, "daemon/status")).serving?.generation, 2);
    wire.socket.destroy();
    await naught.succeed(["stop"]);
  }),
);

test(
  "a cancelled deploy is aborted, and answered; a watcher that comes back gets what it has missed",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "1", server("http.cjs")]);
    const watcher = dial(naught);
    const { run, sequence } = await call<Watched>(watcher, "daemon/watch");
    watcher.socket.destroy();
    const script = naught.path("never-online.js");
    writeFileSync(script, "setInterval(() => {}, 1e6);");
    const wire = dial(naught);
    wire.send({ jsonrpc: "2.0", id: 7, method: "daemon/deploy", params: { script } });
    assert.equal((await wire.next()).method, "watcher/event");
    wire.send({ jsonrpc: "2.0", method: "$/cancelRequest", params: { id: 7 } });
    let answer = await wire.next();
    while (answer.id !== 7) answer = await wire.next();
    assert.equal((answer.result as Settled).outcome, "aborted");
    const again = dial(naught);
    const missed: NaughtEvent[] = [];
    const watched = await call<Watched>(again, "daemon/watch", { since: sequence, run }, missed);
    assert.deepEqual([watched.missed, watched.restarted], [0, undefined]);
    assert.equal(missed[0]?.sequence, (sequence ?? 0) + 1);
    assert.ok(missed.some(({ name }) => name === "DestroyNew"));
    const other = await call<Watched>(again, "daemon/watch", { since: 1, run: "another" });
    assert.equal(other.restarted, true);
    for (const each of [wire, again]) each.socket.destroy();
    await naught.succeed(["stop"]);
  }),
);
