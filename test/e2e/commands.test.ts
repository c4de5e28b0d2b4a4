/** What every command prints, where, and with which exit code it ends: to the letter. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  countsLine,
  deployLines,
  eventLines,
  line,
  lines,
  startLines,
  stopLines,
} from "../support/events.js";
import { e2e } from "../support/naught.js";
import { isAlive } from "../support/processes.js";
import { get } from "../support/request.js";
import { launch } from "../support/running.js";
import { root, server } from "../support/servers.js";
import { until } from "../support/wait.js";

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
  "stop --timeout kills what hangs",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "2", server("hangs.cjs")]);
    const stop = await naught.run(["stop", "--timeout", "0.3"]);
    const expected = lines(
      line("ShutdownOld", { online: 1, dying: 1 }),
      line("ShutdownOld", { dying: 2 }),
      line("Timeout", { dying: 2 }),
      line("DestroyOld", { dying: 2 }),
      line("DestroyOld", { dying: 2 }),
      line("OldExit", { dying: 1 }),
      line("OldExit"),
    );
    assert.deepEqual(stop, end(0, "", expected));
    assert.match(naught.read("stdout.log"), /shutdown was heard/);
  }),
);

test(
  "a server that throws at boot is a failed start that names the worker, its exit code and its last words",
  e2e(async (naught) => {
    const start = await naught.run(["start", server("throws.cjs")]);
    assert.deepEqual([start.code, start.stdout], [1, ""]);
    const expected = [
      line("Bootup"),
      line("SpawnNew", { booting: 1 }),
      line("NewDeath"),
      "The server crashed without booting. Check stderr.log.",
    ];
    assert.deepEqual(start.stderr.split("\n").slice(0, 4), expected);
    const reason = start.stderr.split("\n").slice(4).join("\n");
    assert.match(reason, /worker 0/);
    assert.match(reason, /\b1\b/);
    assert.match(reason, /this release is broken/);
    assert.match(naught.read("stderr.log"), /this release is broken/);
    assert.deepEqual(await naught.run(["status"]), end(1, "", "server not running\n"));
  }),
);

test(
  "a server that exits with 0 at boot is a failed start",
  e2e(async (naught) => {
    const start = await naught.run(["start", "--worker-count", "2", server("exits.cjs")]);
    assert.deepEqual([start.code, start.stdout], [1, ""]);
    assert.match(start.stderr, /^The server crashed without booting\. Check stderr\.log\.$/m);
    assert.match(start.stderr, /nothing to do here/);
  }),
);

test(
  "a worker that never says online is waited for and named; status tells; Ctrl-C rolls the start back",
  e2e(async (naught) => {
    const start = naught.spawn(["start", server("never-online.cjs")]);
    await start.said("stderr", line("SpawnNew", { booting: 1 }));
    const booting = `booting\n${countsLine({ booting: 1 })}\n`;
    assert.deepEqual(await naught.run(["status"]), end(0, booting, ""));
    assert.deepEqual(await naught.run(["start", server("http.cjs")]), end(1, booting, ""));
    await start.said("stderr", /worker 0/, 8_000);
    start.interrupt();
    assert.equal((await start.finished).code, 1);
    await until("the rollback", () => naught.processes().length === 0);
    assert.equal(existsSync(naught.path("naught.ipc")), false);
  }),
);

test(
  "stop during a boot ends it",
  e2e(async (naught) => {
    const start = naught.spawn(["start", server("never-online.cjs")]);
    await start.said("stderr", line("SpawnNew", { booting: 1 }));
    assert.equal((await naught.run(["stop", "--timeout", "1"])).code, 0);
    assert.equal((await start.finished).code, 1);
  }),
);

test(
  "a second stop joins the first, and may shorten it; status tells; Ctrl-C only detaches",
  e2e(async (naught) => {
    await naught.succeed(["start", server("hangs.cjs")]);
    const first = naught.spawn(["stop"]);
    await first.said("stderr", line("ShutdownOld", { dying: 1 }));
    const status = await naught.run(["status"]);
    assert.deepEqual(status, end(0, `shutting down\n${countsLine({ dying: 1 })}\n`, ""));
    const detached = naught.spawn(["stop"]);
    const notice = lines(
      "Waiting for shutdown already in progress.",
      "If it hangs, Ctrl+C this command and try it again with --timeout 1",
    );
    await detached.said("stderr", notice);
    detached.interrupt();
    await detached.finished;
    assert.equal(naught.workers().length, 1);
    const last = await naught.run(["stop", "--timeout", "0.3"]);
    assert.equal(last.code, 0);
    assert.ok(last.stderr.startsWith(notice), last.stderr);
    assert.match(last.stderr, /^Timeout\. /m);
    assert.equal((await first.finished).code, 0);
  }),
);

test(
  "Ctrl-C during stop: the stop goes on",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs")]);
    const slow = get(naught, "/slow?ms=1000&id=slow");
    const stop = naught.spawn(["stop"]);
    await stop.said("stderr", "ShutdownOld");
    stop.interrupt();
    await stop.finished;
    assert.equal((await slow).body.id, "slow");
    await until("the stop to end", () => naught.processes().length === 0);
  }),
);

test(
  "a worker that crashes at rest is replaced in its slot, and the log says so",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "2", server("dying.cjs")]);
    const before = naught.workers();
    await get(naught, "/crash").catch(() => undefined);
    const rest = line("WorkerOnline", { online: 2 });
    const log = await naught.wrote("naught.log", new RegExp(rest));
    const expected = [line("WorkerDeath", { online: 1 }), line("SpawnNew", { booting: 1, online: 1 }), rest];
    assert.deepEqual(
      eventLines(log).filter((each) => expected.includes(each)),
      expected,
    );
    const after = naught.workers();
    assert.deepEqual(
      after.map((each) => each.slot),
      [0, 1],
    );
    assert.equal(after.filter((each) => before.some((old) => old.pid === each.pid)).length, 1);
    assert.match(naught.read("stderr.log"), /crashed on request/);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a worker that declares itself offline is replaced, finishes its work, and leaves",
  e2e(async (naught) => {
    await naught.succeed(["start", server("dying.cjs")]);
    const before = naught.workers();
    const slow = get(naught, "/slow?ms=1000&id=slow");
    const { pid } = (await get(naught, "/offline?id=1")).body;
    assert.equal(pid, before[0]?.pid);
    const log = await naught.wrote("naught.log", /WorkerOnline/);
    const expected = [
      line("WorkerOffline", { dying: 1 }),
      line("SpawnNew", { booting: 1, dying: 1 }),
      line("WorkerOnline", { online: 1, dying: 1 }),
    ];
    assert.deepEqual(
      eventLines(log).filter((each) => expected.includes(each)),
      expected,
    );
    assert.equal((await slow).body.id, "slow");
    await until("the old worker to leave", () => naught.workers().length === 1);
    assert.notEqual(naught.workers()[0]?.pid, pid);
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
  "what workers print is in the logs, whole and in order",
  e2e(async (naught) => {
    await naught.succeed(["start", server("lines.cjs")]);
    for (let count = 0; count < 20; count += 1) await get(naught, "/print");
    await naught.succeed(["stop"]);
    for (const [file, word] of [
      ["stdout.log", "out"],
      ["stderr.log", "err"],
    ] as const) {
      const numbers = naught
        .read(file)
        .split("\n")
        .filter((each) => each.startsWith(`${word} `));
      assert.deepEqual(
        numbers.map((each) => Number(each.split(" ")[2])),
        Array.from({ length: 21 }, (_, n) => n + 1),
      );
    }
  }),
);

test(
  "start leaves none of the caller's descriptors open: it returns inside $(…)",
  e2e(async (naught) => {
    // The third descriptor is one that only the shell knows of.
    const script = `exec 3>&1; out=$("$0" "$@" 2>err.txt); echo "got: $out"`;
    const program = [process.execPath, join(root, "dist/naught.cjs"), "start", server("http.cjs")];
    const shell = launch("/bin/sh", ["-c", script, ...program], {
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
