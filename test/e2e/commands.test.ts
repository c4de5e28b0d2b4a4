/** What every command prints, where, and with which exit code it ends: to the letter. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { deployLines, eventLines, line, startLines, stopLines } from "../support/events.js";
import { e2e, program } from "../support/naught.js";
import { isAlive } from "../support/processes.js";
import { launch } from "../support/running.js";
import { root, server } from "../support/servers.js";

const end = (code: number, stdout: string, stderr: string) => ({ stdout, stderr, code, signal: null });

test(
  "start, status, start again, deploy, stop, status, stop again",
  e2e(async (naught) => {
    const http = server("http.cjs");
    assert.deepEqual(await naught.run(["start", http]), end(0, "workers online: 1\n", startLines(1)));
    assert.match(naught.read("naught.log"), new RegExp(`${line("Ready", { online: 1 })}\n$`));
    assert.ok(isAlive(naught.daemon()));
    assert.deepEqual(await naught.run(["status"]), end(0, "workers online: 1\n", ""));
    const pids = naught.workers();
    assert.deepEqual(await naught.run(["start", http]), end(1, "workers online: 1\n", ""));
    assert.deepEqual(naught.workers(), pids);
    const deploy = await naught.run(["deploy", "--worker-count", "2"]);
    assert.deepEqual(deploy, end(0, "", deployLines(1, 2)));
    assert.deepEqual(await naught.run(["status"]), end(0, "workers online: 2\n", ""));
    assert.deepEqual(await naught.run(["stop"]), end(0, "", stopLines(2)));
    assert.equal(eventLines(naught.read("naught.log")).at(-1), line("Shutdown"));
    assert.equal(existsSync(naught.path("naught.ipc")), false);
    assert.equal(existsSync(naught.path("naught.pid")), false);
    assert.deepEqual(await naught.run(["status"]), end(1, "", "server not running\n"));
    assert.deepEqual(await naught.run(["stop"]), end(0, "", "server not running\n"));
  }),
);

test(
  "the log has every event, in order",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs")]);
    await naught.succeed(["deploy"]);
    await naught.succeed(["stop"]);
    const ready = line("Ready", { online: 1 });
    const deployed = eventLines(deployLines(1, 1));
    const all = [
      ...eventLines(startLines(1)),
      ready,
      ...deployed,
      ready,
      ...eventLines(stopLines(1)),
      line("Shutdown"),
    ];
    assert.deepEqual(eventLines(naught.read("naught.log")), all);
  }),
);

test(
  "deploy and deploy-abort say so when there is nothing to do it to",
  e2e(async (naught) => {
    for (const command of ["deploy", "deploy-abort"]) {
      const { code, stdout, stderr } = await naught.run([command]);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, /not running|unable to connect/);
    }
    await naught.succeed(["start", server("http.cjs")]);
    assert.deepEqual(await naught.run(["deploy-abort"]), end(1, "", "no deploy in progress\n"));
    await naught.succeed(["stop"]);
  }),
);

test(
  "files are made where the options say, relative to the caller, with their directories",
  e2e(async (naught) => {
    naught.write("work/empty", "");
    const files = [
      "--ipc-file",
      "a/b/x.ipc",
      "--pid-file=a/c/x.pid",
      "--log",
      "l/n.log",
      "--stdout",
      "l/o.log",
    ];
    const rest = ["--stderr=/dev/null", "--cwd", "work", "--max-log-size", "1000000"];
    await naught.succeed(["start", ...files, ...rest, server("lines.cjs")]);
    await naught.wrote("l/o.log", /^out \d+ 1$/m);
    assert.match(naught.read("l/n.log"), /Ready/);
    assert.ok(isAlive(Number(naught.read("a/c/x.pid"))));
    assert.equal(existsSync(naught.path("stderr.log")), false);
    assert.deepEqual(await naught.run(["status", "a/b/x.ipc"]), end(0, "workers online: 1\n", ""));
    assert.deepEqual(
      await naught.run(["deploy", "--cwd", "work", "a/b/x.ipc"]),
      end(0, "", deployLines(1, 1)),
    );
    assert.equal((await naught.run(["deploy-abort", "a/b/x.ipc"])).code, 1);
    const stop = await naught.run(["stop", "--pid-file", "a/c/x.pid", "a/b/x.ipc"]);
    assert.deepEqual(stop, end(0, "", stopLines(1)));
    assert.equal(existsSync(naught.path("a/c/x.pid")), false);
  }),
);

test(
  "start leaves none of the caller's descriptors open: it returns inside $(…)",
  e2e(async (naught) => {
    // The third descriptor is one that only the shell knows of.
    const script = `exec 3>&1; out=$("$0" "$@" 2>err.txt); echo "got: $out"`;
    const command = [process.execPath, program, "start", server("http.cjs")];
    const shell = launch("/bin/sh", ["-c", script, ...command], {
      cwd: naught.dir,
      env: naught.env,
      timeout: 20_000,
    });
    assert.deepEqual(await shell.finished, end(0, "got: workers online: 1\n", ""));
    await naught.succeed(["stop"]);
  }),
);

test(
  "version and help",
  e2e(async (naught) => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    assert.deepEqual(await naught.run(["version"]), end(0, `${version}\n`, ""));
    const commands = ["start", "stop", "status", "deploy", "deploy-abort", "version", "help"];
    const help = await naught.run(["help"]);
    assert.deepEqual([help.code, help.stderr], [0, ""]);
    for (const command of commands) assert.match(help.stdout, new RegExp(`naught ${command}\\b`));
    for (const [command, options] of Object.entries(manual)) {
      const { code, stdout, stderr } = await naught.run(["help", command]);
      assert.deepEqual([code, stderr], [0, ""]);
      for (const option of options)
        assert.ok(stdout.includes(`--${option}`), `help ${command}: no --${option}`);
    }
  }),
);

const manual = {
  start: [
    ...[
      "worker-count 1",
      "ipc-file naught.ipc",
      "pid-file naught.pid",
      "log naught.log",
      "stdout stdout.log",
    ],
    ...["stderr stderr.log", "max-log-size 10485760", "cwd .", "daemon-mode true", "remove-old-ipc false"],
    ...["node-args ''", "launchd-socket ''"],
  ],
  stop: ["timeout none", "pid-file naught.pid"],
  deploy: ["worker-count 0", "override-env true", "timeout none", "cwd ."],
  status: [],
  "deploy-abort": [],
};
