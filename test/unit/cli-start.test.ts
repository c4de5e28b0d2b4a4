/** start as a real process, with a daemon that it spawns or loads: lines, streams and exit codes. */
import assert from "node:assert/strict";
import { fork, spawn, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { NaughtError } from "../../src/protocol/errors.js";
import type { Start, Started, Status, Stop } from "../../src/protocol/types.js";
import { type Connection, noCounts, openStage, type Script, type Stage } from "../support/cli-stage.js";

const end = (code: number, stdout: string, stderr: string) => ({ code, stdout, stderr, signal: null });
const online = (count: number): Status => ({
  phase: "online",
  counts: { ...noCounts, online: count },
  waitingFor: null,
  workers: [],
});
const ready: Started = { outcome: "ready", counts: { ...noCounts, online: 2 } };
const bootLines = [
  "Bootup. booting: 0, online: 0, dying: 0, new_online: 0",
  "SpawnNew. booting: 1, online: 0, dying: 0, new_online: 0",
  "",
].join("\n");

function boot({ event }: Connection): void {
  event("Bootup");
  event("SpawnNew", { booting: 1 });
}

/** As the daemon does it: what a refused or failed daemon has still to do is to end. */
function answer(result: Started | NaughtError, started: Start[] = []): Script {
  return (connection) => ({
    start: async (start) => {
      started.push(start);
      boot(connection);
      setTimeout(() => connection.socket.end(), 50);
      if (result instanceof Error) throw result;
      connection.event("Ready", { online: 2 });
      return result;
    },
    watch: () => ({}),
  });
}

function staged(name: string, body: (stage: Stage) => Promise<void>): void {
  test(name, { timeout: 30_000 }, async () => {
    const stage = openStage();
    try {
      await body(stage);
    } finally {
      stage.close();
    }
  });
}

staged("a daemon is spawned, told everything, and left alone", async ({ expectStart, run, dir }) => {
  const started: Start[] = [];
  await expectStart(answer(ready, started));
  mkdirSync(join(dir, "app"));
  const args = ["--worker-count", "2", "--cwd", "app", "--drain-grace=3", "server.js", "--cwd", "x"];
  const result = await run(["start", ...args], { env: { NODE_OPTIONS: "--no-warnings", OWN: "1" } });
  assert.deepEqual(result, end(0, "workers online: 2\n", bootLines));
  const [start] = started;
  assert.equal(start?.ipcFile, join(dir, "naught.ipc"));
  assert.equal(start?.pidFile, join(dir, "naught.pid"));
  assert.deepEqual(start?.drain, { grace: 3, timeout: 30 });
  assert.equal(start?.launch.script, join(dir, "server.js"));
  assert.deepEqual(start?.launch.args, ["--cwd", "x"]);
  assert.equal(start?.launch.cwd, join(dir, "app"));
  assert.equal(start?.launch.env.NODE_OPTIONS, "--no-warnings");
  assert.equal(start?.launch.env.OWN, "1");
  assert.equal(start?.launch.env.NODE_CHANNEL_FD, undefined);
  assert.equal(start?.workerCount, 2);
  assert.equal(start?.daemonMode, true);
});

staged("already running: its status, and nothing is started", async ({ listen, expectStart, run }) => {
  const started: Start[] = [];
  await expectStart(answer(ready, started));
  await listen(() => ({ status: () => online(3) }));
  assert.deepEqual(await run(["start", "s.js"]), end(1, "workers online: 3\n", ""));
  assert.deepEqual(await run(["start", "--daemon-mode=false", "s.js"]), end(1, "workers online: 3\n", ""));
  assert.deepEqual(started, []);
});

staged("the other of two starts was faster: the winner's status, once it is there", async (stage) => {
  await stage.expectStart(answer(new NaughtError("AlreadyRunning")));
  const start = stage.spawn(["start", "s.js"]);
  await start.said("stderr", "SpawnNew");
  setTimeout(() => void stage.listen(() => ({ status: () => online(1) })), 300);
  const { code, stdout } = await start.finished;
  assert.deepEqual([code, stdout], [1, "workers online: 1\n"]);
});

staged("a boot that fails", async ({ expectStart, run }) => {
  const reason = "worker 0 exited with code 1";
  await expectStart(answer({ outcome: "failed", counts: noCounts, reason, stderr: ["Error: x"] }));
  const lines = `The server crashed without booting. Check stderr.log.\n${reason}\nlast lines of its stderr:\n    Error: x\n`;
  assert.deepEqual(await run(["start", "s.js"]), end(1, "", bootLines + lines));
  const here = await run(["start", "--daemon-mode", "false", "s.js"]);
  assert.deepEqual(here, end(1, "", bootLines + lines));
});

staged("a boot that is stopped", async ({ expectStart, run }) => {
  await expectStart(answer({ outcome: "stopped", counts: noCounts }));
  const { code, stderr } = await run(["start", "s.js"]);
  assert.deepEqual([code, stderr], [1, `${bootLines}the server was stopped before it was online\n`]);
});

staged("what the daemon refuses is said in one line", async ({ expectStart, run }) => {
  await expectStart(answer(new NaughtError("ScriptNotFound", "/x/s.js does not exist")));
  const { code, stderr } = await run(["start", "s.js"]);
  assert.deepEqual([code, stderr], [1, `${bootLines}unable to start daemon: /x/s.js does not exist\n`]);
});

staged("a daemon that dies before it answers", async ({ run, dir }) => {
  const line = (why: string) => end(1, "", `unable to start daemon: ${why}\n`);
  const die = (how: string) => run(["start", "s.js"], { env: { CLI_TEST_DIE: how } });
  assert.deepEqual(await die("exit"), line("the daemon ended with exit code 7"));
  assert.deepEqual(await die("kill"), line("the daemon was killed by SIGKILL"));
  assert.deepEqual(
    await run(["start", "--cwd", "nowhere", "s.js"]),
    line(`--cwd ${join(dir, "nowhere")} does not exist`),
  );
  writeFileSync(join(dir, "file"), "");
  assert.deepEqual(
    await run(["start", "--cwd", "file", "s.js"]),
    line(`--cwd ${join(dir, "file")} is not a directory`),
  );
});

staged("a stale socket", async ({ expectStart, run, dir }) => {
  const started: Start[] = [];
  // A file at that path refuses connections as a dead daemon's socket does.
  writeFileSync(join(dir, "naught.ipc"), "");
  const server = await expectStart(answer(new NaughtError("StaleIpc"), started));
  const stale =
    "unable to connect to ipc-file `naught.ipc`\n\n1. the ipc file specified is invalid, or\n2. the daemon process died unexpectedly\n";
  assert.deepEqual(await run(["start", "s.js"]), end(1, "", bootLines + stale));
  server.close();
  rmSync(join(dir, "bridge.sock"), { force: true });
  await expectStart(answer(ready, started));
  const removing =
    "unable to connect to ipc-file `naught.ipc`\n\nremoving the ipc-file and attempting to continue\n";
  assert.deepEqual(
    await run(["start", "--remove-old-ipc", "true", "s.js"]),
    end(0, "workers online: 2\n", removing + bootLines),
  );
  assert.deepEqual(
    started.map((start) => start.removeOldIpc),
    [false, true],
  );
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  staged(`${signal} rolls a start back, and more firmly the second time`, async ({ expectStart, spawn }) => {
    const stops: Stop[] = [];
    await expectStart((connection) => {
      let settle: (started: Started) => void = () => {};
      return {
        start: () => {
          boot(connection);
          return new Promise((done) => {
            settle = done;
          });
        },
        stop: (stop) => {
          stops.push(stop);
          connection.event("DestroyNew", { dying: 1 });
          if (stop.timeout !== 0) return new Promise(() => {});
          settle({ outcome: "stopped", counts: noCounts });
          setTimeout(() => connection.socket.end(), 50);
          return {};
        },
      };
    });
    const start = spawn(["start", "s.js"]);
    await start.said("stderr", "SpawnNew");
    start.signal(signal);
    await start.said("stderr", "DestroyNew");
    start.signal(signal);
    const { code, stderr, stdout } = await start.finished;
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /\nstart rolled back\n$/);
    assert.deepEqual(stops, [{ timeout: 1 }, { timeout: 0 }]);
  });
}

staged("in the foreground the command ends when its daemon does", async ({ expectStart, spawn, run }) => {
  const started: Start[] = [];
  let finish = (): void => {};
  const server = await expectStart((connection) => ({
    start: (start) => {
      started.push(start);
      boot(connection);
      finish = () => connection.socket.end();
      return ready;
    },
  }));
  const args = ["start", "--daemon-mode", "false", "s.js"];
  const start = spawn(args, { env: { CLI_TEST_EXIT: "3" } });
  await start.said("stdout", "workers online: 2\n");
  finish();
  assert.deepEqual(await start.finished, end(3, "workers online: 2\n", bootLines));
  assert.equal(started[0]?.daemonMode, false);
  const silent = spawn([...args.slice(0, 3), "--log", "-", "s.js"]);
  await silent.said("stdout", "workers online: 2\n");
  finish();
  assert.deepEqual(await silent.finished, end(0, "workers online: 2\n", ""));
  server.close();
  assert.equal((await run(["start", "--daemon-mode", "false"])).code, 2);
});

staged("a parent that forked the foreground command is told every event", async (stage) => {
  await stage.expectStart(answer(ready));
  const messages: unknown[] = [];
  const child = fork(stage.program, ["start", "--daemon-mode", "false", "s.js"], {
    cwd: stage.dir,
    env: { PATH: process.env.PATH, CLI_TEST_BRIDGE: join(stage.dir, "bridge.sock") },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    execArgv: [],
  });
  child.on("message", (message) => messages.push(message));
  await new Promise((done) => child.once("close", done));
  assert.deepEqual(messages, [
    { event: "IpcListening" },
    { event: "Bootup", waitingFor: null, count: noCounts },
    { event: "SpawnNew", waitingFor: null, count: { ...noCounts, booting: 1 } },
    { event: "Ready", waitingFor: null, count: { ...noCounts, online: 2 } },
  ]);
});

staged("sockets that naught itself was given", async ({ expectStart, run, dir, program }) => {
  const started: Start[] = [];
  await expectStart(answer(ready, started));
  const wrong = (variable: string) => end(1, "", `unable to start daemon: ${variable}\n`);
  assert.deepEqual(
    await run(["start", "s.js"], { env: { LISTEN_FD: "99" } }),
    wrong("LISTEN_FD: file descriptor 99 is not an open socket"),
  );
  assert.deepEqual(
    await run(["start", "s.js"], { env: { LISTEN_FD: "x" } }),
    wrong('LISTEN_FD should be the number of a file descriptor, not "x"'),
  );
  assert.equal((await run(["start", "s.js"], { env: { LISTEN_FDS: "1", LISTEN_PID: "1" } })).code, 0);
  const listener = createServer();
  await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
  const handle = (listener as unknown as { _handle: { fd: number } })._handle;
  const pass = (env: Record<string, string>, command: string): Promise<number | null> =>
    new Promise((done) => {
      const child = spawn("/bin/sh", ["-c", command, process.execPath, program], {
        cwd: dir,
        env: { PATH: process.env.PATH, CLI_TEST_BRIDGE: join(dir, "bridge.sock"), ...env },
        stdio: ["ignore", "ignore", "ignore", handle.fd],
      });
      child.once("close", done);
    });
  const foreground = 'exec "$0" "$1" start --daemon-mode false s.js';
  assert.equal(await pass({ LISTEN_FDS: "1" }, `export LISTEN_PID=$$; ${foreground}`), 0);
  assert.equal(await pass({ LISTEN_FD: "3" }, foreground), 0);
  assert.equal(await pass({ LISTEN_FD: "3" }, 'exec "$0" "$1" start s.js'), 0);
  assert.deepEqual(
    started.map((start) => start.listenFds),
    [[], [3], [3], [4]],
  );
  assert.equal(await pass({ LISTEN_FDS: "1" }, 'export LISTEN_PID=$$; exec "$0" "$1" start s.js'), 2);
  listener.close();
});

staged("wrong usage is one line on stderr, exit 2", async ({ run }) => {
  const refused = async (args: string[], line: string) =>
    assert.deepEqual(await run(args), end(2, "", `${line}\n`));
  await refused(["strat"], 'naught: unknown command "strat"; did you mean "start"? (see: naught help)');
  await refused(["help", "x"], 'naught help: unknown command "x" (see: naught help help)');
  await refused(["start"], "naught start: the script to run is missing (see: naught help start)");
  await refused(
    ["start", "--launchd-socket", "x", "s.js"],
    process.platform === "darwin"
      ? "naught start: --launchd-socket needs --daemon-mode false (see: naught help start)"
      : "naught start: --launchd-socket works on macOS only (see: naught help start)",
  );
  const { code, stderr } = await run(["status", "x".repeat(200)]);
  assert.equal(code, 2);
  assert.match(stderr, /^naught status: the path of the ipc-file should be at most \d+ bytes long.*\n$/);
});

staged("help and version", async ({ run }) => {
  const help = await run(["help"]);
  assert.match(help.stdout, /^Usage: naught /);
  assert.deepEqual(await run([]), end(2, "", help.stdout));
  assert.deepEqual(await run(["--help"]), help);
  const start = await run(["help", "start"]);
  assert.deepEqual([start.code, start.stderr], [0, ""]);
  assert.deepEqual(await run(["start", "--help"]), start);
  assert.match((await run(["version"])).stdout, /^\d+\.\d+\.\d+.*\n$/);
  assert.deepEqual(await run(["--version"]), await run(["version"]));
});

staged("an unexpected error is one line; its stack is told on demand", async ({ run, dir }) => {
  const hook = join(dir, "hook.cjs");
  writeFileSync(hook, 'process.nextTick(() => { throw new Error("boom\\nand more"); });');
  const env = { NODE_OPTIONS: `--require ${hook}` };
  assert.deepEqual(await run(["status"], { env }), end(1, "", "naught: boom and more\n"));
  const debugged = await run(["status"], { env: { ...env, NAUGHT_DEBUG: "1" } });
  assert.match(debugged.stderr, /^Error: boom\n.*\n {4}at /s);
});

staged("a reader that goes away is no error", async ({ program, dir }) => {
  const script = '("$0" "$1" help start; echo "exit $?" >&2) | head -1';
  const { stdout, stderr } = spawnSync("/bin/sh", ["-c", script, process.execPath, resolve(program)], {
    cwd: dir,
    encoding: "utf8",
  });
  assert.equal(stdout, "Usage: naught start [options] SCRIPT [script-options]\n");
  assert.equal(stderr, "exit 0\n");
});
