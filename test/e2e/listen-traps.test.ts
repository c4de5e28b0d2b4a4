/** What goes wrong when listening sockets have an owner of their own, unless it is thought of. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { askOnce, askUntil } from "../support/answerers.js";
import { e2e, type Naught } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

const raw = server("listen-raw.cjs");
const pids = (naught: Naught) => naught.workers().map(({ pid }) => pid);
const listen = (...addresses: object[]) => ({ env: { LISTEN: JSON.stringify(addresses) } });

for (const balance of ["slots", "shared", "round-robin"]) {
  test(
    `${balance}: a second naught of the same user on the same port cannot start, and says why`,
    e2e(async (naught) => {
      const { host, port } = naught;
      const start = ["start", "--balance", balance];
      await naught.succeed([...start, "--worker-count", "2", raw], listen({ host, port }));
      const files = ["--ipc-file", "b.ipc", "--pid-file", "b.pid", "--log", "b.log", "--stderr", "b.err"];
      const end = await naught.run([...start, ...files, raw], listen({ host, port }));
      assert.equal(end.code, 1);
      const lines = end.stderr.split("\n").filter((line) => line.includes("EADDRINUSE"));
      assert.ok(
        lines.some((line) =>
          line.endsWith(`Error: listen EADDRINUSE: address already in use ${host}:${port}`),
        ),
        end.stderr,
      );
      await askUntil(() => askOnce({ host, port }), pids(naught));
      await naught.succeed(["stop"]);
    }),
  );
}

test(
  "an app that removes its path before it listens, and as it ends, takes it from nobody",
  e2e(async (naught) => {
    const script = naught.write(
      "server.cjs",
      `const { rmSync } = require("node:fs");
      rmSync("app.sock", { force: true });
      process.on("exit", () => rmSync("app.sock", { force: true }));
      require(${JSON.stringify(raw)});`,
    );
    const path = naught.path("app.sock");
    const ask = () => askOnce({ path });
    const args = ["start", "--worker-count", "3", script];
    await naught.succeed(args, listen({ path: "app.sock" }));
    await askUntil(ask, pids(naught));
    await naught.succeed(["deploy"]);
    await askUntil(ask, pids(naught));
    const [victim] = pids(naught);
    kill(victim ?? 0);
    await naught.wrote("naught.log", /WorkerOnline/);
    await askUntil(ask, pids(naught));
    rmSync(path);
    await naught.succeed(["deploy", "--worker-count", "1"]);
    await askUntil(ask, pids(naught));
    await naught.succeed(["stop"]);
    assert.equal(existsSync(path), false);
  }),
);

test(
  "the path of a daemon that was killed is bound anew by an app that removes it, and is not without",
  e2e(async (naught) => {
    await naught.succeed(["start", raw], listen({ path: "app.sock" }));
    await naught.killAll();
    const end = await naught.run(["start", raw], listen({ path: "app.sock" }));
    assert.equal(end.code, 1);
    assert.match(end.stderr, /listen EADDRINUSE: address already in use app\.sock/);
    rmSync(naught.path("app.sock"));
    await naught.succeed(["start", raw], listen({ path: "app.sock" }));
    await askUntil(() => askOnce({ path: naught.path("app.sock") }), pids(naught));
    await naught.succeed(["stop"]);
  }),
);

test(
  "a path that has no room for a second name beside it is served, too",
  e2e(async (naught) => {
    const path = naught.path("x".repeat(106 - naught.dir.length));
    await naught.succeed(["start", "--worker-count", "2", raw], listen({ path }));
    await askUntil(() => askOnce({ path }), pids(naught));
    await naught.succeed(["deploy"]);
    await askUntil(() => askOnce({ path }), pids(naught));
    await naught.succeed(["stop"]);
  }),
);

for (const balance of ["slots", "shared"]) {
  test(
    `${balance}: a socket that the serving generation does not use is given up, and can be bound by others`,
    e2e(async (naught) => {
      const { host, port } = naught;
      const second = { host, port: port + 1 };
      const env = listen({ host, port }, second, { path: "app.sock" });
      await naught.succeed(["start", "--balance", balance, "--worker-count", "2", raw], env);
      await naught.succeed(["deploy"], listen({ host, port }));
      await until("the port to be free", () => canListen(second));
      await until("the path to be free", () => canListen({ path: naught.path("app.sock") }));
      await naught.succeed(["deploy"], env);
      for (const target of [second, { path: naught.path("app.sock") }])
        await askUntil(() => askOnce(target), pids(naught));
      await naught.succeed(["stop"]);
    }),
  );

  test(
    `${balance}: the number of workers goes from 4 to 1 to 4 and nobody is stranded`,
    e2e(async (naught) => {
      const target = { host: naught.host, port: naught.port };
      await naught.succeed(["start", "--balance", balance, "--worker-count", "4", raw], listen(target));
      const askMany = async () => {
        const answers = await Promise.all(Array.from({ length: 64 }, () => askOnce(target)));
        assert.ok(answers.every((pid) => pids(naught).includes(Number(pid))));
      };
      await askMany();
      await naught.succeed(["deploy", "--worker-count", "1"]);
      await askMany();
      // The new only worker has to take over the queues of all four slots.
      kill(pids(naught)[0] ?? 0);
      await askAll(64, target);
      await naught.wrote("naught.log", /WorkerOnline/);
      await askMany();
      await naught.succeed(["deploy", "--worker-count", "4"]);
      await askMany();
      await askUntil(() => askOnce(target), pids(naught));
      for (const pid of pids(naught)) kill(pid);
      await askAll(64, target);
      await until("four workers to be online", async () => {
        return (await naught.run(["status"])).stdout === "workers online: 4\n";
      });
      await askUntil(() => askOnce(target), pids(naught));
      await naught.succeed(["stop"]);
    }),
  );

  test(
    `${balance}: after the master's death the new workers have the old sockets, and fewer of them strand nobody`,
    e2e(async (naught) => {
      const target = { host: naught.host, port: naught.port };
      await naught.succeed(["start", "--balance", balance, "--worker-count", "4", raw], listen(target));
      const master = naught.processes().find(({ parent }) => parent === naught.daemon());
      kill(master?.pid ?? 0);
      await naught.wrote("naught.log", /(Ready[\s\S]*){2}(OldExit[\s\S]*){4}/);
      await askUntil(() => askOnce(target), pids(naught));
      await naught.succeed(["deploy", "--worker-count", "1"]);
      await askAll(64, target);
      await naught.succeed(["stop"]);
    }),
  );
}

test(
  "two servers on port 0 have a port each, which all workers and all generations share",
  e2e(async (naught) => {
    const { host } = naught;
    const read = (slot: number) => JSON.parse(naught.read(`listened-${slot}.json`)) as AddressInfo[];
    const env = listen({ host, port: 0 }, { host, port: 0 });
    await naught.succeed(["start", "--worker-count", "2", raw], env);
    const [one, other] = read(0);
    assert.notEqual(one?.port, other?.port);
    assert.deepEqual(read(1), [one, other]);
    await naught.succeed(["deploy"]);
    assert.deepEqual(read(0), [one, other]);
    for (const { port } of read(1)) await askUntil(() => askOnce({ host, port }), pids(naught));
    await naught.succeed(["stop"]);
  }),
);

test(
  "a worker of root's gets a port below 1024 as long as it has not given up its rights",
  { skip: process.getuid?.() !== 0 && "only root can test it" },
  e2e(async (naught) => {
    const { host } = naught;
    const script = (first: string) =>
      `${first}
      const server = require("node:net").createServer((socket) => socket.end(String(process.pid)));
      server.on("error", (error) => {
        console.error(error.message);
        process.send("online");
      });
      server.listen(1023, process.env.HOST, () => {
        process.setuid(65534);
        process.send("online");
      });
      process.on("message", (message) => message === "shutdown" && process.exit(0));`;
    await naught.succeed(["start", "--worker-count", "2", naught.write("server.cjs", script(""))]);
    await naught.succeed(["deploy"]);
    await askUntil(() => askOnce({ host, port: 1023 }), pids(naught));
    assert.equal(naught.read("stderr.log"), "");
    // On a socket that the daemon has already, and after it was given up.
    naught.write("server.cjs", script("process.setuid(65534);"));
    const refused = `listen EACCES: permission denied ${host}:1023\n`;
    await naught.succeed(["deploy"]);
    assert.equal(naught.read("stderr.log"), refused.repeat(2));
    await naught.succeed(["deploy"]);
    assert.equal(naught.read("stderr.log"), refused.repeat(4));
    await naught.succeed(["stop"]);
  }),
);

test(
  "somebody who is not root is refused a port below 1024 as by Node itself",
  { skip: process.getuid?.() !== 0 && "the harness has to be able to become somebody else" },
  e2e(async (naught) => {
    const options = { ...listen({ port: 1022 }), uid: 65534 };
    makeWritable(naught.dir);
    const end = await naught.run(["start", raw], options);
    assert.equal(end.code, 1);
    assert.match(end.stderr, /Error: listen EACCES: permission denied 0\.0\.0\.0:1022/);
  }),
);

async function askAll(count: number, target: { host: string; port: number }): Promise<void> {
  const ask = async () => assert.ok(Number(await askOnce(target)) > 0);
  await Promise.all(Array.from({ length: count }, ask));
}

function canListen(address: { host?: string; port?: number; path?: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.on("error", () => resolve(false));
    probe.listen(address, () => probe.close(() => resolve(true)));
  });
}

function makeWritable(path: string): void {
  chmodSync(path, 0o777);
}
