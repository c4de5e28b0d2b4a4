/** Sockets that naught itself was given, by LISTEN_FD, by systemd and by launchd, and how the workers get them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { request } from "node:http";
import { test } from "node:test";
import { activate, assertRefused, type Given, startGiven } from "../support/given.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e, type Naught } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

const script = server("listen-inherited.cjs");
const shape = { keepAlive: 4, fresh: 4, slow: 1, slowMs: 100, pauseMs: 10, idleMs: 100 };
const tcp = ({ host, port }: Naught): Given => ({ host, port });

for (const daemonMode of ["true", "false"]) {
  for (const [mode, balance] of [
    ["fd", "slots"],
    ["exclusive", "shared"],
    ["fd", "round-robin"],
    ["address", "slots"],
  ] as const) {
    test(
      `LISTEN_FD, --daemon-mode ${daemonMode}, ${balance}, listen by ${mode}: survives a crash and deploys`,
      e2e(async (naught) => {
        const env = { LISTEN_FD: "3", MODE: mode, WHERE: JSON.stringify([tcp(naught)]) };
        const args = ["--daemon-mode", daemonMode, "--balance", balance, script];
        const running = startGiven(naught, [tcp(naught)], { env, args });
        await naught.wrote("naught.log", /Ready/);
        const load = await startLoad(naught, shape);
        await naught.succeed(["deploy", "--worker-count", "2"]);
        await naught.succeed(["deploy", "--worker-count", "1"]);
        assertUnhurt(await load.stop());
        kill(naught.workers()[0]?.pid ?? 0);
        // It waits in the socket until somebody is there again.
        await get(naught);
        await naught.wrote("naught.log", /WorkerOnline/);
        await naught.succeed(["deploy"]);
        await get(naught);
        await naught.succeed(["stop"]);
        assert.equal((await running.finished).code, 0);
      }),
    );
  }
}

test(
  "LISTEN_FD: a coming generation that asks for the same socket in another way does not accept before it takes over",
  e2e(async (naught) => {
    const env = { LISTEN_FD: "3", MODE: "fd", WHERE: JSON.stringify([tcp(naught)]) };
    await startGiven(naught, [tcp(naught)], { env, args: [script] }).finished;
    const [old] = naught.workers();
    const deploy = naught.spawn(["deploy"], { env: { ...env, MODE: "address", HANGS: "1" } });
    await until("a worker that listens", () => existsSync(naught.path("hangs")));
    for (let count = 0; count < 30; count += 1) assert.equal((await get(naught)).body.pid, old?.pid);
    await naught.succeed(["deploy-abort"]);
    assert.equal((await deploy.finished).code, 1);
    await naught.succeed(["deploy"], { env: { ...env, MODE: "address" } });
    assert.notEqual((await get(naught)).body.pid, old?.pid);
    await naught.succeed(["stop"]);
  }),
);

test(
  "LISTEN_FD: a unix socket is got by its number and by its path",
  e2e(async (naught) => {
    const path = naught.path("given.sock");
    for (const [mode, where] of [
      ["fd", path],
      ["address", path],
      ["address", "given.sock"],
    ] as const) {
      const env = { LISTEN_FD: "3", MODE: mode, WHERE: JSON.stringify([{ path: where }]) };
      const running = startGiven(naught, [{ path }], { env, args: ["--worker-count", "2", script] });
      assert.equal((await running.finished).stdout, "workers online: 2\n");
      await getFrom({ socketPath: path });
      await naught.succeed(["deploy"]);
      await getFrom({ socketPath: path });
      await naught.succeed(["stop"]);
      // It is not naught's, and stays.
      assert.ok(existsSync(path));
      rmSync(path);
    }
  }),
);

test(
  "a server for any address gets both the IPv4 and the IPv6 socket with its port",
  e2e(async (naught) => {
    const any = [
      { host: "0.0.0.0", port: 0 },
      { host: "::", port: 0 },
    ];
    const env = { LISTEN_FDS: "2", LISTEN_PID: "own", MODE: "any" };
    const args = ["--daemon-mode", "false", "--worker-count", "2", script];
    const running = startGiven(naught, any, { env, args });
    await naught.wrote("naught.log", /Ready/);
    const port = Number(naught.read("given-port"));
    for (let round = 0; round < 2; round += 1) {
      for (const host of ["127.0.0.1", "::1"])
        await Promise.all(Array.from({ length: 20 }, () => getFrom({ host, port })));
      await naught.succeed(["deploy"]);
    }
    await naught.succeed(["stop"]);
    assert.equal((await running.finished).code, 0);
  }),
);

test(
  "systemd: any number of sockets, with names, from the first connection on",
  e2e(async (naught) => {
    const { host, port } = naught;
    const path = naught.path("third.sock");
    const sockets = [`--listen=${host}:${port}`, `--listen=${host}:${port + 1}`, `--listen=${path}`];
    const names = "--fdname=web:admin:local";
    const running = activate(naught, [...sockets, names], {
      env: { MODE: "all" },
      args: ["--worker-count", "2", script],
    });
    await running.said("stderr", "Listening on");
    // The connection waits until the server is there.
    const { body } = await get(naught, "/about");
    // The other worker may still boot.
    await naught.wrote("naught.log", /Ready/);
    const environment = {
      LISTEN_FD: "4",
      NAUGHT_LISTEN_FDS: "4,5,6",
      NAUGHT_LISTEN_FDNAMES: "web:admin:local",
    };
    assert.deepEqual(body, { environment, index: 0 });
    await naught.succeed(["deploy"]);
    assert.equal((await get({ host, port: port + 1 }, "/about")).body.index, 1);
    assert.deepEqual(await getFrom({ socketPath: path, path: "/about" }), { environment, index: 2 });
    running.signal("SIGTERM");
    assert.equal((await running.finished).code, 0);
    rmSync(path);
  }),
);

test(
  "systemd: a server that simply listens on the same addresses gets the sockets",
  e2e(async (naught) => {
    const { host, port } = naught;
    const path = naught.path("given.sock");
    const where = [{ path }, { host, port }];
    const running = activate(naught, [`--listen=${host}:${port}`, `--listen=${path}`], {
      env: { MODE: "address", WHERE: JSON.stringify(where) },
      args: [script],
    });
    await running.said("stderr", "Listening on");
    assert.equal((await get(naught, "/about")).body.index, 1);
    assert.equal(((await getFrom({ socketPath: path, path: "/about" })) as { index: number }).index, 0);
    running.signal("SIGTERM");
    assert.equal((await running.finished).code, 0);
    rmSync(path);
  }),
);

test(
  "launchd: all sockets under the key",
  e2e(async (naught) => {
    const env = launchd(naught, "web=3,4");
    const args = (name: string) => ["--daemon-mode", "false", "--launchd-socket", name, script];
    const given = [tcp(naught), { host: naught.host, port: naught.port + 1 }];
    const running = startGiven(naught, given, { env: { ...env, MODE: "all" }, args: args("web") });
    await naught.wrote("naught.log", /Ready/);
    const { environment } = (await get(naught, "/about")).body as { environment: Record<string, string> };
    assert.equal(environment.NAUGHT_LISTEN_FDS, "4,5");
    assert.equal(environment.NAUGHT_LISTEN_FDNAMES, "web:web");
    assert.equal((await get({ host: naught.host, port: naught.port + 1 }, "/about")).body.index, 1);
    running.signal("SIGTERM");
    assert.equal((await running.finished).code, 0);
    const why = "the plist has no such key in its Sockets dictionary";
    const unknown = startGiven(naught, given, { env, args: args("admin") });
    await assertRefused(
      naught,
      unknown,
      `unable to start daemon: launchd gave no socket for "admin": ${why}`,
    );
    const detached = startGiven(naught, given, { env, args: ["--launchd-socket", "web", script] });
    await assertRefused(naught, detached, /^naught start: --launchd-socket needs --daemon-mode false/);
  }),
);

test(
  "LISTEN_PID of another process: those sockets are not naught's, which is no error",
  e2e(async (naught) => {
    const env = { LISTEN_FDS: "1", LISTEN_PID: "1", MODE: "address", WHERE: `[{"path":"own.sock"}]` };
    for (const daemonMode of ["true", "false"]) {
      const args = ["--daemon-mode", daemonMode, script];
      const running = startGiven(naught, [tcp(naught)], { env, args });
      await until("the server", async () => (await naught.run(["status"])).stdout === "workers online: 1\n");
      const { environment } = (await getFrom({ socketPath: naught.path("own.sock"), path: "/about" })) as {
        environment: object;
      };
      assert.deepEqual(environment, { NAUGHT_LISTEN_FDS: "" });
      await naught.succeed(["stop"]);
      assert.equal((await running.finished).code, 0);
    }
  }),
);

/** The environment in which there is a launchd: a library with its one function, and what that has to give. */
function launchd(naught: Naught, sockets: string): Record<string, string> {
  const source = naught.write(
    "launchd.c",
    `#include <stdlib.h>
    #include <string.h>
    int launch_activate_socket(const char *name, int **fds, size_t *cnt) {
      const char *given = getenv("FAKE_LAUNCHD");
      size_t length = strlen(name);
      if (!given || strncmp(given, name, length) || given[length] != '=') return 2;
      int *numbers = malloc(64 * sizeof *numbers);
      *cnt = 0;
      for (char *at = (char *)given + length; *at && *cnt < 64; ) numbers[(*cnt)++] = strtol(at + 1, &at, 10);
      *fds = numbers;
      return 0;
    }`,
  );
  const library = naught.path("launchd.so");
  execFileSync("cc", ["-shared", "-fPIC", "-o", library, source]);
  return { LD_PRELOAD: library, FAKE_LAUNCHD: sockets };
}

function getFrom(options: {
  host?: string;
  port?: number;
  socketPath?: string;
  path?: string;
}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(JSON.parse(text)));
    });
    sent.setTimeout(15_000, () => sent.destroy(new Error("no answer in 15 s")));
    sent.on("error", reject).end();
  });
}
