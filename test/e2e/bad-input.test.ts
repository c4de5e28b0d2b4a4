/** Bad input gets one clear line and a non-zero exit, and changes nothing. */
import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { dropWaiting, startLines } from "../support/events.js";
import { e2e, type Naught, type RunOptions } from "../support/naught.js";
import type { Finished } from "../support/running.js";
import { server } from "../support/servers.js";
import { leaveStaleSocket } from "../support/stale.js";

const http = server("http.cjs");

for (const args of [
  ["strat"],
  ["start"],
  ["start", "--nonsense", "1", http],
  ["start", "--worker-count"],
  ["start", "--worker-count", "-1", http],
  ["start", "--worker-count=-1", http],
  ["start", "--worker-count", "0", http],
  ["start", "--worker-count", "1.5", http],
  ["start", "--worker-count", "1e9", http],
  ["start", "--worker-count", "many", http],
  ["start", "--worker-count=", http],
  ["start", "--max-log-size", "0", http],
  ["start", "--max-log-size", "-5", http],
  ["start", "--max-log-size", "big", http],
  ["start", "--daemon-mode", "maybe", http],
  ["start", "--remove-old-ipc", "yes", http],
  ["start", "--ipc-file", "", http],
  ["stop", "--timeout", "soon"],
  ["stop", "--timeout", "-1"],
  ["stop", "--nonsense"],
  ["deploy", "--worker-count", "-1"],
  ["deploy", "--worker-count", "1.5"],
  ["deploy", "--override-env", "perhaps"],
  ["deploy", "--timeout", "NaN"],
  ["deploy", "--timeout"],
  ["status", "a.ipc", "b.ipc"],
  ["deploy-abort", "--nonsense"],
  ["help", "nonsense"],
]) {
  test(
    `naught ${args.map((each) => (each === http ? "server.js" : each || "''")).join(" ")} is wrong usage`,
    e2e(async (naught) => {
      const end = await refuse(naught, args);
      assert.equal(end.code, 2, end.stderr);
    }),
  );
}

test(
  "a script that does not exist, or is a directory, is said before anything is started",
  e2e(async (naught) => {
    mkdirSync(naught.path("directory.js"));
    assert.match((await fail(naught, ["start", "missing.js"])).stderr, /missing\.js/);
    assert.match((await fail(naught, ["start", "directory.js"])).stderr, /directory\.js/);
  }),
);

test(
  "a script that cannot be read is said before anything is started",
  e2e(async (naught) => {
    chmodSync(naught.write("secret.js", ""), 0o000);
    assert.match((await fail(naught, ["start", "secret.js"], asNobody(naught))).stderr, /secret\.js/);
  }),
);

test(
  "a directory without write permission is said",
  e2e(async (naught) => {
    mkdirSync(naught.path("closed"), { mode: 0o555 });
    const options = asNobody(naught);
    for (const option of ["--ipc-file", "--pid-file", "--log"]) {
      const end = await fail(naught, ["start", option, "closed/file", http], options);
      assert.match(end.stderr, /closed/, option);
    }
  }),
);

test(
  "--cwd that does not exist, or is a file, is said",
  e2e(async (naught) => {
    naught.write("file", "");
    assert.match((await fail(naught, ["start", "--cwd", "missing", http])).stderr, /missing/);
    assert.match((await fail(naught, ["start", "--cwd", "file", http])).stderr, /file/);
  }),
);

test(
  "a directory as ipc file, and a path that is too long for a unix socket, are said",
  e2e(async (naught) => {
    mkdirSync(naught.path("directory"));
    assert.match((await fail(naught, ["start", "--ipc-file", "directory", http])).stderr, /directory/);
    const long = naught.path("x".repeat(110));
    const end = await naught.run(["start", "--ipc-file", long, http]);
    assert.equal(end.code, 2, end.stderr);
    assert.match(end.stderr, /^[^\n]*107[^\n]*\n$/);
    assert.match(end.stderr, new RegExp(`\\b${long.length}\\b`));
  }),
);

test(
  "a log path that is a directory is said",
  e2e(async (naught) => {
    mkdirSync(naught.path("directory"));
    for (const option of ["--log", "--stdout", "--stderr"]) {
      assert.match((await fail(naught, ["start", option, "directory", http])).stderr, /directory/, option);
    }
  }),
);

test(
  "an ordinary file as ipc file is left alone, unless --remove-old-ipc true is given",
  e2e(async (naught) => {
    naught.write("naught.ipc", "precious");
    const before = readTree(naught);
    const end = await naught.run(["start", http]);
    assert.deepEqual([end.code, end.stdout], [1, ""]);
    assert.match(end.stderr, /naught\.ipc/);
    assert.equal(naught.read("naught.ipc"), "precious");
    assert.deepEqual(readTree(naught), before);
    await naught.succeed(["start", "--remove-old-ipc", "true", http]);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a socket that nobody answers on, and of which nothing is known, is left alone, unless --remove-old-ipc true is given",
  e2e(async (naught) => {
    await leaveStaleSocket(naught, "naught.ipc");
    const before = readTree(naught);
    const end = await naught.run(["start", http]);
    assert.deepEqual([end.code, end.stdout], [1, ""]);
    assert.match(
      end.stderr,
      /^unable to connect to ipc-file `[^`]*naught\.ipc`\n\n1\. the ipc file specified is invalid, or\n2\. the daemon process died unexpectedly\n$/,
    );
    assert.deepEqual(readTree(naught), before);
    const start = await naught.succeed(["start", "--remove-old-ipc=true", http]);
    assert.match(
      start.stderr,
      /^unable to connect to ipc-file `[^`]*naught\.ipc`\n\nremoving the ipc-file and attempting to continue\n/,
    );
    assert.ok(start.stderr.endsWith(startLines(1)));
    await naught.succeed(["stop"]);
  }),
);

test(
  "the socket of a daemon that was killed is cleaned silently",
  e2e(async (naught) => {
    await naught.succeed(["start", http]);
    await naught.killAll();
    const start = await naught.succeed(["start", http]);
    assert.equal(dropWaiting(start.stderr), startLines(1));
    await naught.succeed(["stop"]);
  }),
);

test(
  "--remove-old-ipc true removes nothing from under a live server",
  e2e(async (naught) => {
    await naught.succeed(["start", http]);
    const end = await naught.run(["start", "--remove-old-ipc", "true", http]);
    assert.deepEqual([end.code, end.stdout], [1, "workers online: 1\n"]);
    assert.equal(naught.workers().length, 1);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a deploy of a script or directory that does not exist is refused, and nothing changes",
  e2e(async (naught) => {
    await naught.succeed(["start", http]);
    const pids = naught.workers();
    for (const option of ["--script", "--cwd"]) {
      const end = await naught.run(["deploy", option, "missing"]);
      assert.equal(end.code, 1);
      assert.match(end.stdout + end.stderr, /missing/);
      assert.deepEqual(naught.workers(), pids);
    }
    await naught.succeed(["deploy"]);
    await naught.succeed(["stop"]);
  }),
);

/** Runs what has to be refused in one line, and sees that nothing was changed or started. */
async function refuse(naught: Naught, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const before = readTree(naught);
  const end = await naught.run(args, options);
  assert.notEqual(end.code, 0);
  assert.equal(end.stdout, "");
  assert.match(end.stderr, /^[^\n]*\S[^\n]*\n$/, "not one line");
  assert.doesNotMatch(end.stderr, /^\s+at |\bundefined\b|\[object/m);
  assert.deepEqual(readTree(naught), before);
  assert.deepEqual(naught.processes(), []);
  return end;
}

async function fail(naught: Naught, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const end = await refuse(naught, args, options);
  assert.equal(end.code, 1, end.stderr);
  return end;
}

function readTree(naught: Naught): string[] {
  return readdirSync(naught.dir, { recursive: true, encoding: "utf8" }).sort();
}

/** Root may do everything, so permissions show only to somebody else. */
function asNobody(naught: Naught): RunOptions {
  if (process.getuid?.() !== 0) return {};
  const uid = 65_534;
  for (const name of ["", ...readTree(naught)]) chownSync(naught.path(name), uid, uid);
  return { uid };
}
