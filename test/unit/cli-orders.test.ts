/** What is sent to the daemon of what was typed. */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { buildDeploy } from "../../src/actors/cli/deploy.js";
import type { InvocationOf } from "../../src/actors/cli/parse.js";
import { resolveIpcFile } from "../../src/actors/cli/paths.js";
import { buildStart } from "../../src/actors/cli/start-order.js";
import { cleanDaemonEnvironment, cleanEnvironment } from "../../src/actors/environment.js";
import { parseCommand } from "../support/parse.js";

const environment = {
  A: "1",
  NODE_OPTIONS: "--inspect",
  NODE_ENV: "x",
  NAUGHT_WORKER: "0",
  NAUGHT_DEBUG: "1",
  NODE_CHANNEL_FD: "3",
  NODE_CHANNEL_SERIALIZATION_MODE: "json",
  NODE_UNIQUE_ID: "1",
  LISTEN_FD: "4",
  LISTEN_FDS: "1",
  LISTEN_PID: "2",
  NOTIFY_SOCKET: "/x",
  WATCHDOG_USEC: "1",
  LISTENER: "kept",
  MY_NAUGHT_X: "kept",
  GONE: undefined,
};

const start = (...argv: string[]) =>
  buildStart(parseCommand("start", argv) as InvocationOf<"start">, environment);
const deploy = (...argv: string[]) =>
  buildDeploy(parseCommand("deploy", argv) as InvocationOf<"deploy">, environment);
const cleaned = { A: "1", NODE_OPTIONS: "--inspect", NODE_ENV: "x", LISTENER: "kept", MY_NAUGHT_X: "kept" };

test("workers get the caller's environment without what is meant for naught", () => {
  assert.deepEqual(cleanEnvironment(environment), cleaned);
  const daemon = cleanDaemonEnvironment(environment);
  assert.deepEqual(
    Object.keys(environment).filter((name) => !(name in daemon)),
    ["NODE_OPTIONS", "NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "NODE_UNIQUE_ID", "GONE"],
  );
});

test("limits are sent as far as they were given", () => {
  assert.deepEqual(start("s.js").launch.limits, { hang: 30 });
  assert.equal(start("--hang-timeout", "none", "s.js").launch.limits, undefined);
  const both = start("--hang-timeout", "1.5", "--max-memory", "512M", "s.js");
  assert.deepEqual(both.launch.limits, { hang: 1.5, memory: 512 * 2 ** 20 });
  assert.equal(deploy().limits, undefined);
  assert.deepEqual(deploy("--hang-timeout", "none", "--max-memory", "2g").limits, {
    hang: null,
    memory: 2 ** 31,
  });
  for (const [option, value] of [
    ["--hang-timeout", "0.5"],
    ["--max-memory", "1023K"],
    ["--max-memory", "1.5G"],
    ["--max-memory", "512MB"],
  ] as const) {
    assert.throws(() => start(option, value, "s.js"), /should be/, value);
  }
});

test("start: everything is resolved against the caller's directory", () => {
  assert.deepEqual(
    start("--cwd", "app", "--node-args", "--a --b", "--stdout", "/dev/null", "s.js", "x", "-y"),
    {
      ipcFile: resolve("naught.ipc"),
      pidFile: resolve("naught.pid"),
      logs: {
        log: resolve("naught.log"),
        stdout: "/dev/null",
        stderr: resolve("stderr.log"),
        maxSize: 10485760,
        maxFiles: 20,
        lines: { prefix: "none", format: "text" },
        own: "text",
      },
      workerCount: 1,
      daemonMode: true,
      removeOldIpc: false,
      launch: {
        script: resolve("s.js"),
        args: ["x", "-y"],
        nodeArgs: ["--a", "--b"],
        env: cleaned,
        cwd: resolve("app"),
        limits: { hang: 30 },
      },
      drain: { grace: 10, timeout: 30 },
      listenFds: [],
      balance: "slots",
    },
  );
});

test("start: - as a log needs the foreground", () => {
  for (const name of ["log", "stdout", "stderr"]) {
    assert.throws(() => start(`--${name}`, "-", "s.js"), {
      message: `--${name} - needs --daemon-mode false`,
    });
  }
  const { logs } = start("--daemon-mode", "false", "--log", "-", "--stdout=-", "s.js");
  assert.deepEqual([logs.log, logs.stdout], ["-", "-"]);
});

test("deploy: only what was typed is sent", () => {
  assert.deepEqual(deploy(), { workerCount: 0, env: cleaned });
  assert.deepEqual(deploy("--override-env", "false"), { workerCount: 0 });
  assert.deepEqual(
    deploy(
      ...["--worker-count", "3", "--replace-env", "true", "--timeout", "1.5", "--cwd", "r/2"],
      ...["--script=r/2/s.js", "--node-args", "-a", "n.ipc", "--", "b"],
    ),
    {
      workerCount: 3,
      env: cleaned,
      replaceEnv: true,
      timeout: 1.5,
      cwd: resolve("r/2"),
      script: resolve("r/2/s.js"),
      nodeArgs: ["-a"],
      args: ["b"],
    },
  );
  assert.deepEqual(deploy("--override-env=false", "--").args, []);
  assert.throws(() => deploy("--override-env=false", "--replace-env=true"), {
    message: "--replace-env true cannot be combined with --override-env false",
  });
});

test("the path of a socket has a limit, counted in bytes after resolving", () => {
  const longest = process.platform === "linux" ? 107 : 103;
  const fits = `/${"x".repeat(longest - 1)}`;
  assert.equal(resolveIpcFile(fits), fits);
  assert.throws(() => resolveIpcFile(`${fits}y`), {
    message: `the path of the ipc-file should be at most ${longest} bytes long, but "${fits}y" has ${longest + 1}`,
  });
  assert.throws(() => resolveIpcFile(`/${"ä".repeat(60)}`), / has 121$/);
});
