/** The daemon's table of listening sockets, with real sockets and workers that are only named. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, lstatSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import net, { createServer, type Server } from "node:net";
import { constants } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createSockets, type KeptSockets, type Sockets } from "../../src/actors/daemon/sockets.js";
import { type DatagramHandle, isDatagramHandle } from "../../src/actors/node-datagrams.js";
import { readBound, type SocketHandle } from "../../src/actors/node-internals.js";
import type { Balance, HostListen, WorkerRef } from "../../src/protocol/types.js";
import { makeTemp, ownAddress, port } from "../support/temp.js";

const worker = (id: number, generation = 1): WorkerRef => ({ id, slot: 0, pid: process.pid, generation });
const address = ownAddress();
const tcp: HostListen = { address, port, addressType: 4, index: 0, worker: worker(1) };
const unix = (path: string): HostListen => ({ ...tcp, address: path, port: -1, addressType: -1 });
const udp: HostListen = { ...tcp, datagram: true };
const { EADDRINUSE, EBADF, ESRCH, EACCES } = constants.errno;

/** What a handle of Node's can do once it knows whom to tell of connections. */
interface Listener {
  listen(backlog: number): number;
}

interface Stage {
  readonly sockets: Sockets;
  readonly log: string[];
  readonly released: string[];
  /** The generations that were told to accept at once. */
  readonly served: number[];
  /** Lets the master answer. */
  allow(): void;
  /** A worker's own wish: what it got. */
  ask(
    wish: HostListen,
  ): Promise<{ errno: number; key: string; native: boolean; withheld?: boolean; port?: number }>;
}

function staged(
  name: string,
  body: (stage: Stage, dir: string, t: TestContext) => Promise<void>,
  { balance = "shared", holds = false }: { balance?: Balance; holds?: boolean } = {},
): void {
  test(name, async (t) => {
    const temp = makeTemp();
    const log: string[] = [];
    const released: string[] = [];
    const served: number[] = [];
    const waiting: (() => void)[] = [];
    const sockets = createSockets(
      { listenFds: [], balance },
      {
        changed() {},
        adopt: () => {},
        disown: () => {},
        release(key) {
          released.push(key);
          return holds ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve();
        },
        serve: (generation) => served.push(generation),
        log: (line) => log.push(line),
      },
    );
    const ask: Stage["ask"] = async (wish) => {
      const { listened, handle } = await sockets.listen(wish);
      // As the worker's server does it.
      if (handle && !isDatagramHandle(handle))
        (Object.assign(handle, { onconnection() {} }) as unknown as Listener).listen(1);
      const bound = handle && readBound(handle as SocketHandle);
      return { ...listened, ...(bound?.port ? { port: bound.port } : {}) };
    };
    const allow = () => {
      for (const resolve of waiting.splice(0)) resolve();
    };
    try {
      await body({ sockets, log, released, served, allow, ask }, temp.dir, t);
    } finally {
      sockets.close();
      temp.remove();
    }
  });
}

staged("the first server of each worker on port 0 gets one port, the second another", async ({ ask }) => {
  const any = { ...tcp, port: 0 };
  const first = await ask(any);
  assert.deepEqual(await ask({ ...any, worker: worker(2) }), first);
  const second = await ask({ ...any, index: 1 });
  assert.notEqual(second.port, first.port);
  assert.deepEqual(await ask({ ...any, index: 1, worker: worker(2) }), second);
});

staged("what somebody else has is refused, with the address that was tried", async ({ ask, sockets }) => {
  const other = await listen({ port: 0 });
  const busy = (other.address() as net.AddressInfo).port;
  const { listened } = await sockets.listen({ ...tcp, address: null, port: busy });
  assert.deepEqual(listened, { errno: -EADDRINUSE, key: "", native: false, address: "::" });
  other.close();
  assert.equal((await ask({ ...tcp, fd: 4 })).errno, -EBADF);
});

staged(
  "slots: another's port without SO_REUSEPORT is refused",
  async ({ ask }) => {
    const other = await listen({ host: address, port });
    assert.equal((await ask(tcp)).errno, -EADDRINUSE);
    other.close();
  },
  { balance: "slots" },
);

staged(
  "round-robin is node:cluster's",
  async ({ ask, log }) => {
    assert.deepEqual(await ask(tcp), { errno: 0, key: "", native: true });
    assert.deepEqual(log, []);
  },
  { balance: "round-robin" },
);

staged(
  "what nobody uses is given up at rest, once the master has let go of it",
  async (stage) => {
    const { ask, sockets, released, allow } = stage;
    const { key } = await ask(tcp);
    sockets.unlisten(tcp.worker, key);
    await settle();
    assert.deepEqual(released, []);
    sockets.setAtRest(true);
    await settle();
    assert.deepEqual(released, [key]);
    // The master still has a copy.
    await assert.rejects(listen({ host: address, port }), { code: "EADDRINUSE" });
    allow();
    await settle();
    (await listen({ host: address, port })).close();
  },
  { holds: true },
);

staged(
  "what is used again before the master has let go of it stays",
  async (stage) => {
    const { ask, sockets, allow } = stage;
    sockets.setAtRest(true);
    const { key } = await ask(tcp);
    sockets.unlisten(tcp.worker, key);
    assert.equal((await ask(tcp)).key, key);
    allow();
    await settle();
    assert.equal((await ask({ ...tcp, worker: worker(2) })).key, key);
  },
  { holds: true },
);

staged("a socket that was closed a moment ago is not in the way of another address", async (stage) => {
  const { ask, sockets } = stage;
  // On a port of its own: the usual one is taken, on other addresses, by tests that run at the same time.
  const { key, port: own = 0 } = await ask({ ...tcp, address: "0.0.0.0", port: 0 });
  const same = { ...tcp, port: own };
  assert.equal((await ask(same)).errno, -EADDRINUSE);
  sockets.unlisten(tcp.worker, key);
  assert.equal((await ask(same)).errno, 0);
});

staged(
  "a worker that dies while its wish is thought about gets nothing",
  async ({ sockets, ask, allow }) => {
    const { key, port: own = 0 } = await ask({ ...tcp, address: "0.0.0.0", port: 0 });
    sockets.unlisten(tcp.worker, key);
    const answer = ask({ ...tcp, port: own, worker: worker(2) });
    await settle();
    sockets.forget(worker(2));
    allow();
    assert.equal((await answer).errno, -ESRCH);
  },
  { holds: true },
);

staged("TLS servers of one generation share their keys, each generation has its own", async ({ sockets }) => {
  const share = async (id: number, generation: number) =>
    (await sockets.listen({ ...tcp, worker: worker(id, generation), ticketKeys: `keys${id}` })).listened
      .ticketKeys;
  assert.deepEqual(
    [await share(1, 1), await share(2, 1), await share(3, 2), await share(4, 1), await share(5, 2)],
    ["keys1", "keys1", "keys3", undefined, "keys3"],
  );
  assert.equal("ticketKeys" in (await sockets.listen(tcp)).listened, false);
});

staged(
  "a path that was removed is there again when a worker listens, or dies",
  async ({ ask, sockets }, dir) => {
    const path = join(dir, "s");
    const { key } = await ask(unix(path));
    const { ino } = lstatSync(path);
    rmSync(path);
    assert.equal((await ask({ ...unix(path), worker: worker(2) })).key, key);
    assert.equal(lstatSync(path).ino, ino);
    rmSync(path);
    sockets.forget(worker(2));
    assert.equal(lstatSync(path).ino, ino);
    sockets.close();
    assert.deepEqual(readdirSync(dir), []);
  },
);

staged("a path that somebody else has put there stays", async ({ ask, sockets }, dir) => {
  const path = join(dir, "s");
  await ask(unix(path));
  rmSync(path);
  writeFileSync(path, "mine");
  assert.equal((await ask({ ...unix(path), worker: worker(2) })).errno, -EADDRINUSE);
  sockets.close();
  assert.deepEqual(readdirSync(dir), ["s"]);
});

staged("a path is opened to others as far as the server says", async ({ ask }, dir) => {
  const path = join(dir, "s");
  await ask({ ...unix(path), writableAll: true });
  assert.equal(lstatSync(path).mode & 0o222, 0o222);
});

staged("a path in a directory that is not there is refused as Node refuses it", async ({ ask }, dir) => {
  assert.equal((await ask(unix(join(dir, "missing", "s")))).errno, -EACCES);
  chmodSync(dir, 0o700);
  assert.equal(existsSync(join(dir, "missing")), false);
});

staged("a coming generation is withheld where somebody accepts, and only there", async ({ sockets, ask }) => {
  assert.equal((await ask(tcp)).withheld, undefined);
  sockets.takeOver(1);
  // A replacement, and a server that nobody had before.
  assert.equal((await ask({ ...tcp, worker: worker(2, 1) })).withheld, undefined);
  assert.equal((await ask({ ...tcp, port: 0, worker: worker(3, 2) })).withheld, undefined);
  assert.equal((await ask({ ...tcp, worker: worker(3, 2) })).withheld, true);
  assert.deepEqual(
    sockets.list()[0]?.queues.flatMap(({ workers }) => workers.map(({ id }) => id)),
    [1, 2],
  );
  sockets.takeOver(2);
  assert.equal(sockets.list()[0]?.queues[0]?.workers.length, 3);
  assert.equal((await ask({ ...tcp, worker: worker(4, 2) })).withheld, undefined);
});

staged(
  "one that is withheld keeps its socket, and leaves none behind",
  async ({ sockets, ask, released }) => {
    await ask(tcp);
    sockets.takeOver(1);
    const { key } = await ask({ ...tcp, worker: worker(2, 2) });
    sockets.forget(worker(1));
    sockets.setAtRest(true);
    assert.deepEqual(released, []);
    sockets.unlisten(worker(2, 2), key);
    assert.deepEqual(released, [key]);
    await settle();
    assert.deepEqual(sockets.list(), []);
  },
);

for (const comesBack of [true, false]) {
  const outcome = comesBack ? "wait for the old one's replacement" : "accept after a while";
  staged(
    `workers that are withheld while nobody accepts ${outcome}`,
    async ({ sockets, ask, served }, _, t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      await ask(tcp);
      sockets.takeOver(1);
      await ask({ ...tcp, worker: worker(2, 2) });
      sockets.forget(worker(1));
      t.mock.timers.tick(4_999);
      if (comesBack) await ask({ ...tcp, worker: worker(3, 1) });
      t.mock.timers.tick(1);
      assert.deepEqual(served, comesBack ? [] : [2]);
      assert.equal((await ask({ ...tcp, worker: worker(4, 2) })).withheld, comesBack ? true : undefined);
      // The next master counts from the serving generation on.
      sockets.strand();
      await ask({ ...tcp, worker: worker(1) });
      assert.equal((await ask({ ...tcp, worker: worker(2, 2) })).withheld, true);
    },
  );
}

staged(
  "datagrams and connections have one port, and neither is in the other's way",
  async ({ ask, sockets }) => {
    const { key } = await ask(tcp);
    const other = await ask(udp);
    assert.equal(other.errno, 0);
    assert.notEqual(other.key, key);
    assert.equal((await ask({ ...udp, worker: worker(2) })).key, other.key);
    sockets.unlisten(tcp.worker, key);
    assert.equal((await ask({ ...udp, index: 1 })).errno, -EADDRINUSE);
    assert.deepEqual(
      sockets.list().map(({ datagram }) => datagram ?? false),
      [false, true],
    );
  },
);

for (const balance of ["slots", "round-robin"] as const)
  staged(
    `${balance}: all workers have one socket of datagrams, which a coming generation does not read from`,
    async ({ ask, sockets }) => {
      const { key } = await ask(udp);
      const second = { ...worker(2), slot: 1 };
      assert.equal((await ask({ ...udp, worker: second })).key, key);
      sockets.takeOver(1);
      assert.equal((await ask({ ...udp, worker: worker(3, 2) })).withheld, true);
      assert.equal(sockets.list()[0]?.queues.length, 1);
      assert.deepEqual([...sockets.handles().keys()], [key]);
    },
    { balance },
  );

staged(
  "a socket of datagrams that was left connected is not for whoever comes next, nor one that is used given up",
  async ({ ask, sockets, released }) => {
    const { listened, handle } = await sockets.listen(udp);
    assert.equal((handle as DatagramHandle).connect("127.0.0.1", 9), 0);
    assert.equal((await ask({ ...udp, worker: worker(2) })).key, listened.key);
    sockets.forget(worker(1));
    sockets.forget(worker(2));
    assert.notEqual((await ask({ ...udp, worker: worker(3) })).key, listened.key);
    assert.deepEqual(released, [listened.key]);
  },
);

staged("an heir knows a socket of datagrams from others", async ({ ask, sockets }) => {
  const { key } = await ask(udp);
  const table = JSON.parse(JSON.stringify(sockets.keep())) as KeptSockets;
  const heir = createSockets(
    { listenFds: [], balance: "slots" },
    { changed() {}, adopt() {}, disown() {}, release: async () => {}, serve() {}, log() {} },
    { table, handles: sockets.handles() },
  );
  assert.deepEqual(heir.list(), sockets.list());
  const { listened } = await heir.listen({ ...udp, worker: { ...worker(2), slot: 1 } });
  assert.equal(listened.key, key);
});

test("without Node's own function all sockets are node:cluster's, which is said once", async () => {
  const internals = net as unknown as { _createServerHandle: unknown };
  const { _createServerHandle: create } = internals;
  internals._createServerHandle = undefined;
  try {
    const log: string[] = [];
    const sockets = createSockets(
      { listenFds: [], balance: "slots" },
      {
        changed() {},
        adopt() {},
        disown() {},
        release: async () => {},
        serve() {},
        log: (line) => log.push(line),
      },
    );
    for (const id of [1, 2]) {
      const { listened } = await sockets.listen({ ...tcp, worker: worker(id) });
      assert.equal(listened.native, true);
    }
    assert.equal(log.length, 1);
    assert.match(log[0] ?? "", /^Node v\S+ does not let naught keep the listening sockets/);
  } finally {
    internals._createServerHandle = create;
  }
});

function listen(options: net.ListenOptions): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject).listen(options, () => resolve(server));
  });
}

/** What is under way has happened. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
