/** The package's client against a daemon that the test plays: calls, events, coming back, and giving up. */
import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../src/client/client.js";
import type { ClientEvent } from "../../src/client/types.js";
import type { Handlers, Client as Methods } from "../../src/protocol/contract.js";
import { Daemon } from "../../src/protocol/daemon.js";
import { NaughtError } from "../../src/protocol/errors.js";
import { openFrames } from "../../src/protocol/frames.js";
import { connect as serve } from "../../src/protocol/peer.js";
import type { Watch } from "../../src/protocol/types.js";
import { Watcher } from "../../src/protocol/watcher.js";
import { makeTemp } from "../support/temp.js";

const counts = { booting: 0, online: 1, dying: 0, new_online: 0 };

interface Played {
  readonly path: string;
  readonly watches: Watch[];
  run: string;
  sequence: number;
  /** Tells every connection that something happened. */
  tell(): void;
  /** Something happens that nobody is told. */
  skip(): void;
  cut(): void;
  stop(): Promise<void>;
  listen(): Promise<void>;
}

function played(name: string, body: (daemon: Played) => Promise<void>): void {
  test(name, { timeout: 20_000 }, async () => {
    const temp = makeTemp();
    const sockets = new Map<Socket, Methods<typeof Watcher>>();
    let server: Server | undefined;
    const daemon: Played = {
      path: join(temp.dir, "n.ipc"),
      watches: [],
      run: "a",
      sequence: 0,
      tell() {
        daemon.sequence += 1;
        const event = { name: "Ready" as const, counts, waitingFor: null, time: new Date().toISOString() };
        for (const client of sockets.values()) client.event({ ...event, sequence: daemon.sequence });
      },
      skip() {
        daemon.sequence += 1;
      },
      cut: () => {
        for (const socket of sockets.keys()) socket.destroy();
      },
      async stop() {
        const closed = new Promise<unknown>((done) => server?.close(done));
        daemon.cut();
        await closed;
      },
      listen: () =>
        new Promise((done) => {
          server = createServer((socket) => {
            const { client } = serve(openFrames(socket), Daemon, answer(daemon), Watcher);
            sockets.set(socket, client);
            socket.on("close", () => sockets.delete(socket));
          }).listen(daemon.path, done);
        }),
    };
    try {
      await daemon.listen();
      await body(daemon);
    } finally {
      await daemon.stop();
      temp.remove();
    }
  });
}

function answer(daemon: Played): Handlers<typeof Daemon> {
  const refused = Object.keys(Daemon.methods).map((name) => [
    name,
    () => Promise.reject(new NaughtError("NotAllowed", `not in this test: ${name}`)),
  ]);
  return {
    ...Object.fromEntries(refused),
    hello: () => ({ version: "2.0.0", protocol: 1, pid: 1, run: daemon.run }),
    status: () => ({ phase: "online", counts, waitingFor: null, workers: [] }),
    watch: (watch) => {
      daemon.watches.push(watch);
      return { run: daemon.run, sequence: daemon.sequence };
    },
  } as Handlers<typeof Daemon>;
}

const quick = { firstDelay: 5, longestDelay: 20, attempts: 30 };
const isKind = (kind: NaughtError["kind"]) => (error: unknown) =>
  error instanceof NaughtError && error.kind === kind;

async function take(events: AsyncIterator<ClientEvent>, count: number): Promise<(number | string)[]> {
  const taken: (number | string)[] = [];
  for (let left = count; left > 0; left--) {
    const { value } = await events.next();
    taken.push(value.name === "Gap" ? `gap ${value.missed}` : value.sequence);
  }
  return taken;
}

async function untilWatched(daemon: Played, times: number): Promise<void> {
  while (daemon.watches.length < times) await new Promise((resolve) => setTimeout(resolve, 2));
  await new Promise((resolve) => setTimeout(resolve, 20));
}

played("calls are answered, and refusals are errors of naught", async ({ path }) => {
  const client = await connect(path);
  assert.equal((await client.status()).counts.online, 1);
  assert.equal((await client.hello()).pid, 1);
  await assert.rejects(client.deploy({ id: "x" }), isKind("NotAllowed"));
  client.close();
  await assert.rejects(client.status(), isKind("Lost"));
});

test("where nobody is there is nothing to wait for", async () => {
  const temp = makeTemp();
  await assert.rejects(connect(join(temp.dir, "x.ipc")), isKind("NotRunning"));
  await assert.rejects(connect({ host: "-oProxyCommand=x" }), isKind("Unreachable"));
  temp.remove();
});

played("events can be iterated by several at once, and leaving the loop is enough", async (daemon) => {
  const client = await connect(daemon.path);
  const one = client.events();
  const two = client.events();
  await untilWatched(daemon, 1);
  for (let count = 0; count < 3; count++) daemon.tell();
  assert.deepEqual(await take(one, 3), [1, 2, 3]);
  for await (const event of two) {
    assert.equal(event.name, "Ready");
    break;
  }
  assert.deepEqual(await two.next(), { done: true, value: undefined });
  const last = one.next();
  client.close();
  assert.deepEqual(await last, { done: true, value: undefined });
});

played("a connection that breaks is made anew, where it left off", async (daemon) => {
  const client = await connect(daemon.path, quick);
  const events = client.events();
  await untilWatched(daemon, 1);
  daemon.tell();
  assert.deepEqual(await take(events, 1), [1]);
  daemon.cut();
  await untilWatched(daemon, 2);
  assert.deepEqual(daemon.watches, [{}, { since: 1, run: "a" }]);
  daemon.tell();
  assert.deepEqual(await take(events, 1), [2]);
  assert.equal((await client.status()).phase, "online");
  client.close();
});

played("what was missed for good is told, and so is another life of the daemon", async (daemon) => {
  const client = await connect(daemon.path, quick);
  const events = client.events();
  await untilWatched(daemon, 1);
  daemon.tell();
  daemon.skip();
  daemon.skip();
  daemon.tell();
  assert.deepEqual(await take(events, 3), [1, "gap 2", 4]);
  await daemon.stop();
  daemon.run = "b";
  daemon.sequence = 0;
  await daemon.listen();
  await untilWatched(daemon, 2);
  daemon.tell();
  assert.deepEqual(await take(events, 2), ["gap null", 1]);
  client.close();
});

played("a daemon that stays away is given up, and whoever listens is told", async (daemon) => {
  const client = await connect(daemon.path, { ...quick, attempts: 3 });
  const events = client.events();
  await untilWatched(daemon, 1);
  await daemon.stop();
  await assert.rejects(events.next(), isKind("NotRunning"));
  assert.deepEqual(await events.next(), { done: true, value: undefined });
  await daemon.listen();
  client.close();
});

played("without reconnecting a lost connection is the end", async (daemon) => {
  const client = await connect(daemon.path, { reconnect: false });
  const events = client.events();
  await untilWatched(daemon, 1);
  daemon.cut();
  await assert.rejects(events.next(), isKind("Lost"));
  await assert.rejects(client.status(), isKind("Lost"));
  client.close();
});
