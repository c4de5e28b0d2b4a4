/** Sockets of datagrams: the daemon binds them, and an application sees what it would see without naught. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { askDatagram, startDatagrams } from "../support/datagram-load.js";
import { startGiven } from "../support/given.js";
import { e2e, type Naught } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { server } from "../support/servers.js";
import { awaitStatus, isSettled } from "../support/survival.js";
import { until } from "../support/wait.js";

type Results = Readonly<Record<string, { address?: { port: number } | string; listening?: boolean }>>;

const script = server("datagrams.cjs");
/** Below the ephemeral ports, and hardly those of another run. */
const base = 19_000 + ((process.pid * 4) % 12_000);

for (const balance of ["slots", "round-robin"])
  test(
    `${balance}: however a socket is bound, it and its errors are what they would be without naught`,
    e2e(async (naught) => {
      const busy = createSocket("udp4").bind(0, naught.host);
      naught.defer(() => busy.close());
      await once(busy, "listening");
      const env = { BUSY: String(busy.address().port), BASE: String(base) };
      const script = server("listen-datagrams.cjs");
      execFileSync(process.execPath, [script], { cwd: naught.dir, env: { ...naught.env, ...env } });
      const alone = readResults(naught, "alone");
      await naught.succeed(["start", "--balance", balance, "--worker-count", "2", script], { env });
      const [first, second] = [readResults(naught, "0"), readResults(naught, "1")];
      for (const [name, result] of Object.entries(first)) {
        assert.deepEqual(anyPort(result), anyPort(alone[name]), name);
        if (["exclusive", "peerAlone"].includes(name)) assert.notDeepEqual(second[name], result);
        else assert.deepEqual(second[name], result, `${name}: the workers differ`);
      }
      // Those of a coming generation, too, which are withheld.
      const deploy = naught.spawn(["deploy"], { env: { ...env, HANGS: "1" } });
      await naught.wrote("results-hanging-0.json", /\}$/);
      const { exclusive: _, peerAlone: __, ...coming } = readResults(naught, "hanging-0");
      for (const [name, result] of Object.entries(coming)) assert.deepEqual(result, first[name], name);
      await naught.succeed(["deploy-abort"]);
      await deploy.finished;
      // Whoever follows a dead master's workers finds what they have joined and connected.
      const { master } = await awaitStatus(naught, "the tree", (status) => isSettled(status, 2));
      kill(master?.pid ?? 0);
      await awaitStatus(
        naught,
        "a whole tree",
        (status) => status.master?.pid !== master?.pid && isSettled(status, 2),
      );
      const { exclusive: ___, peerAlone: ____, ...next } = readResults(naught, "0");
      for (const [name, result] of Object.entries(next)) assert.deepEqual(result, first[name], name);
      await naught.succeed(["stop"]);
    }),
  );

test(
  "a release that is aborted has read nothing, and one that takes over reads everything",
  e2e(async (naught) => {
    await naught.succeed(["start", script]);
    const [old] = naught.workers();
    const load = await startDatagrams(naught);
    const deploy = naught.spawn(["deploy"], { env: { HANGS: "1" } });
    await until("a worker that has bound its socket", () => existsSync(naught.path("hangs")));
    load.answerers();
    const before = load.sent;
    await until("many datagrams", () => load.sent > before + 100);
    assert.deepEqual([...load.answerers()], [old?.pid]);
    await naught.succeed(["deploy-abort"]);
    await deploy.finished;
    await naught.succeed(["deploy"]);
    load.answerers();
    const pids = naught.workers().map(({ pid }) => pid);
    await until("answers of the new one alone", () => [...load.answerers()].join() === pids.join());
    await load.stop();
    await naught.succeed(["stop"]);
  }),
);

test(
  "what comes while the only worker is dead waits for the next one",
  e2e(async (naught) => {
    await naught.succeed(["start", script]);
    const [old] = naught.workers();
    // Nothing is in its hands as it dies.
    kill(old?.pid ?? 0, "SIGSTOP");
    const load = await startDatagrams(naught);
    await until("some datagrams", () => load.sent > 20);
    kill(old?.pid ?? 0);
    await awaitStatus(
      naught,
      "another worker",
      (status) => isSettled(status, 1) && status.workers[0]?.pid !== old?.pid,
    );
    await load.stop();
    await naught.succeed(["stop"]);
  }),
);

test(
  "a port is free again when every worker has closed its socket, and after a deploy with another",
  e2e(async (naught) => {
    const { host, port } = naught;
    await naught.succeed(["start", "--worker-count", "2", script]);
    await naught.succeed(["deploy"]);
    assert.equal(await canBind(host, port), false);
    await naught.succeed(["deploy"], { env: { PORT: String(port + 1) } });
    await until("the port of the old ones to be free", () => canBind(host, port));
    for (let count = 0; count < 2; count += 1) await askDatagram({ host, port: port + 1 }, "close");
    await until("the port of the new ones to be free", () => canBind(host, port + 1));
    assert.deepEqual((await awaitStatus(naught, "an answer", () => true)).sockets, []);
    await naught.succeed(["stop"]);
  }),
);

test(
  "an aborted release does not keep the port that it alone has bound",
  e2e(async (naught) => {
    const { host, port } = naught;
    await naught.succeed(["start", script]);
    const deploy = naught.spawn(["deploy"], { env: { HANGS: "1", PORT: String(port + 1) } });
    await until("a worker that has bound its socket", () => existsSync(naught.path("hangs")));
    assert.equal(await canBind(host, port + 1), false);
    await naught.succeed(["deploy-abort"]);
    await deploy.finished;
    await until("the port to be free", () => canBind(host, port + 1));
    await askDatagram(naught);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a socket that is connected to one peer: its next worker may have another peer",
  e2e(async (naught) => {
    const first = await openPeer(naught);
    const second = await openPeer(naught);
    const config = naught.write("peer", String(first.address().port));
    const program = `process.env.PEER = String(require("node:fs").readFileSync(${JSON.stringify(config)}));
      require(${JSON.stringify(script)});`;
    await naught.succeed(["start", naught.write("connected.cjs", program)]);
    assert.equal(await askFrom(first, naught), naught.workers()[0]?.pid);
    // The same peer, while an old worker still has it.
    await naught.succeed(["deploy"]);
    assert.equal(await askFrom(first, naught), naught.workers()[0]?.pid);
    naught.write("peer", String(second.address().port));
    const old = naught.workers()[0]?.pid ?? 0;
    kill(old);
    await awaitStatus(
      naught,
      "another worker",
      (status) => isSettled(status, 1) && status.workers[0]?.pid !== old,
    );
    assert.equal(await askFrom(second, naught), naught.workers()[0]?.pid);
    assert.equal(naught.read("stderr.log"), "");
    await naught.succeed(["stop"]);
  }),
);

test(
  "a group of receivers: every generation is in it, whoever dies",
  e2e(async (naught) => {
    const group = "239.77.0.1";
    const env = { GROUP: group, PORT: String(base) };
    await naught.succeed(["start", script], { env });
    const sender = await openPeer(naught);
    sender.setMulticastInterface(naught.host);
    const ask = async (): Promise<void> => {
      assert.equal(await askFrom(sender, { host: group, port: base }), naught.workers()[0]?.pid);
    };
    await ask();
    await naught.succeed(["deploy"], { env });
    await ask();
    kill(naught.workers()[0]?.pid ?? 0);
    const before = await awaitStatus(naught, "another worker", (status) => isSettled(status, 1));
    await ask();
    kill(before.master?.pid ?? 0);
    await awaitStatus(
      naught,
      "another master",
      (status) => isSettled(status, 1) && status.master?.pid !== before.master?.pid,
    );
    await ask();
    await naught.succeed(["stop"]);
  }),
);

test(
  "offline: another worker reads in the place of the one that leaves",
  e2e(async (naught) => {
    const leaves = `require(${JSON.stringify(script)});
      process.on("SIGUSR1", () => process.send("offline"));`;
    await naught.succeed(["start", naught.write("leaves.cjs", leaves)]);
    const load = await startDatagrams(naught);
    const [old] = naught.workers();
    kill(old?.pid ?? 0, "SIGUSR1");
    await awaitStatus(
      naught,
      "its replacement alone",
      (status) => isSettled(status, 1) && status.workers[0]?.pid !== old?.pid,
    );
    await load.stop();
    await naught.succeed(["stop"]);
  }),
);

test(
  "an error without a listener, and one in a listener, are uncaught exceptions, as without naught",
  e2e(async (naught) => {
    for (const [what, last] of [
      [
        `require("node:dgram").createSocket("udp4").bind(1, "203.0.113.1");`,
        /bind EADDRNOTAVAIL 203\.0\.113\.1:1/,
      ],
      [
        `require("node:dgram").createSocket("udp4").bind(0, () => { throw new Error("mine"); });`,
        /Error: mine/,
      ],
    ] as const) {
      const caught = `process.on("uncaughtException", (error, origin) => { console.error(String(error), origin); process.exit(3); });`;
      const end = await naught.run(["start", naught.write("fails.cjs", `${caught}\n${what}`)]);
      assert.equal(end.code, 1);
      assert.match(end.stderr, last);
      assert.match(end.stderr, /uncaughtException/);
    }
  }),
);

for (const mode of ["fd", "address"])
  test(
    `a socket that naught was given is got by its ${mode === "fd" ? "number" : "address"}, and outlives master and workers`,
    e2e(async (naught) => {
      const { host, port } = naught;
      const program = `
        const { NAUGHT_LISTEN_FDS, HOST, PORT } = process.env;
        const socket = require("node:dgram").createSocket("udp4", (message, from) => socket.send(process.pid + " " + message, from.port, from.address));
        const options = ${mode === "fd"} ? { fd: Number(NAUGHT_LISTEN_FDS) } : { address: HOST, port: Number(PORT) };
        socket.bind(options, () => process.send("online"));
        process.on("message", (message) => message === "shutdown" && process.exit(0));`;
      const running = startGiven(naught, [{ host, port, state: "datagram" }], {
        env: { LISTEN_FDS: "1", LISTEN_PID: "own" },
        args: ["--daemon-mode", "false", naught.write("given.cjs", program)],
      });
      await naught.wrote("naught.log", /Ready/);
      const load = await startDatagrams(naught);
      await naught.succeed(["deploy"]);
      const { master } = await awaitStatus(naught, "the tree", (status) => isSettled(status, 1));
      kill(master?.pid ?? 0);
      await awaitStatus(
        naught,
        "another master",
        (status) => isSettled(status, 1) && status.master?.pid !== master?.pid,
      );
      await load.stop();
      const { sockets } = await awaitStatus(naught, "an answer", () => true);
      assert.deepEqual(
        sockets?.map(({ address, port, datagram, inherited }) => ({ address, port, datagram, inherited })),
        [{ address: host, port, datagram: true, inherited: true }],
      );
      await naught.succeed(["stop"]);
      await running.finished;
    }),
  );

test(
  "a port below 1024 is refused to whoever may not bind it, also through the daemon",
  { skip: process.getuid?.() !== 0 && "the harness has to be able to become somebody else" },
  e2e(async (naught) => {
    const { host } = naught;
    const program = (first: string): string => `${first}
      const socket = require("node:dgram").createSocket("udp4", (message, from) => socket.send("here", from.port, from.address));
      socket.on("error", ({ message }) => {
        console.error(message);
        process.send("online");
      });
      socket.bind(1021, process.env.HOST, () => {
        process.setuid(65534);
        process.send("online");
      });
      process.on("message", (message) => message === "shutdown" && process.exit(0));`;
    await naught.succeed(["start", naught.write("server.cjs", program(""))]);
    assert.equal(await askDatagram({ host, port: 1021 }), "here");
    naught.write("server.cjs", program("process.setuid(65534);"));
    await naught.succeed(["deploy"]);
    assert.equal(naught.read("stderr.log"), `bind EACCES ${host}:1021\n`);
    await naught.succeed(["stop"]);
  }),
);

function readResults(naught: Naught, slot: string): Results {
  return JSON.parse(naught.read(`results-${slot}.json`)) as Results;
}

function anyPort(result: Results[string] | undefined): unknown {
  if (typeof result?.address !== "object" || !result.listening) return result;
  return { ...result, address: { ...result.address, port: "some" } };
}

/** A socket that worker and test send to and from. */
async function openPeer(naught: Naught): Promise<Socket> {
  const peer = createSocket("udp4").bind(0, naught.host);
  naught.defer(() => peer.close());
  await once(peer, "listening");
  return peer;
}

/** Sends until there is an answer, and resolves with the process that has given it. */
async function askFrom(peer: Socket, { host, port }: { host: string; port: number }): Promise<number> {
  const text = randomUUID();
  let answer: number | undefined;
  const hear = (message: Buffer): void => {
    const [pid, about] = String(message).split(" ");
    if (about === text) answer = Number(pid);
  };
  peer.on("message", hear);
  try {
    return await until("an answer", () => {
      if (answer === undefined) peer.send(text, port, host);
      return answer;
    });
  } finally {
    peer.off("message", hear);
  }
}

async function canBind(host: string, port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  try {
    return await new Promise((resolve) => {
      socket.once("error", () => resolve(false)).bind(port, host, () => resolve(true));
    });
  } finally {
    socket.close();
  }
}
