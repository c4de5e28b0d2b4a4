/** What a generation is started with: release directories behind a link, script, arguments, directory, environment. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deployLines, dropWaiting } from "../support/events.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e, type Naught } from "../support/naught.js";
import { link, makeRelease, releaseAnswer, removeRelease } from "../support/releases.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

test(
  "a deploy follows the link anew, for require, import and process.cwd(), without a failed request",
  e2e(async (naught) => {
    for (const release of [1, 2, 3]) makeRelease(naught, release);
    link(naught, 1);
    await naught.succeed(["start", "--worker-count", "2", "--cwd", "current", "current/server.cjs"]);
    const load = await startLoad(naught, { slowMs: 300 });
    for (const release of [1, 2, 3]) {
      if (release > 1) {
        link(naught, release);
        assert.equal(dropWaiting((await naught.succeed(["deploy"])).stderr), deployLines(2, 2));
      }
      assert.deepEqual((await get(naught, "/release")).body, releaseAnswer(naught, release));
    }
    assertUnhurt(await load.stop());
    await naught.succeed(["stop"]);
  }),
);

test(
  "a worker that crashes after the link has moved comes back with its own release",
  e2e(async (naught) => {
    for (const release of [1, 2]) makeRelease(naught, release);
    link(naught, 1);
    await naught.succeed(["start", "--cwd", "current", "current/server.cjs"]);
    link(naught, 2);
    await replaceWorker(naught);
    assert.deepEqual((await get(naught, "/release")).body, releaseAnswer(naught, 1));
    await naught.succeed(["stop"]);
  }),
);

test(
  "a worker whose release is gone is said, and the next deploy brings the service back",
  e2e(async (naught) => {
    for (const release of [1, 2]) makeRelease(naught, release);
    link(naught, 1);
    await naught.succeed(["start", "--cwd", "current", "current/server.cjs"]);
    link(naught, 2);
    removeRelease(naught, 1);
    await get(naught, "/exit").catch(() => undefined);
    await naught.wrote("naught.log", /WorkerDeath/);
    assert.equal((await naught.run(["status"])).stdout.startsWith("workers online: 0"), true);
    await naught.succeed(["deploy"]);
    assert.deepEqual((await get(naught, "/release")).body, releaseAnswer(naught, 2));
    assert.match(naught.read("naught.log"), /releases\/1/);
    await naught.succeed(["stop"]);
  }),
);

test(
  "deploy --cwd gives a new directory; a failed deploy gives none",
  e2e(async (naught) => {
    for (const release of [1, 2]) makeRelease(naught, release);
    await naught.succeed(["start", "--cwd", "releases/1", "releases/1/server.cjs"]);
    const bad = await naught.run(["deploy", "--cwd", "releases/2", "--script", server("throws.cjs")]);
    assert.equal(bad.code, 1);
    await naught.succeed(["deploy"]);
    assert.deepEqual((await get(naught, "/release")).body, releaseAnswer(naught, 1));
    await naught.succeed(["deploy", "--cwd", "releases/2", "--script", "releases/2/server.cjs"]);
    assert.deepEqual((await get(naught, "/release")).body, releaseAnswer(naught, 2));
    await naught.succeed(["stop"]);
  }),
);

test(
  "without --cwd the directory is the caller's, and a deploy from elsewhere keeps it",
  e2e(async (naught) => {
    naught.write("elsewhere/empty", "");
    await naught.succeed(["start", server("echo.cjs")]);
    assert.equal((await echo(naught)).cwd, naught.dir);
    await naught.succeed(["deploy", "../naught.ipc"], { cwd: naught.path("elsewhere") });
    assert.equal((await echo(naught)).cwd, naught.dir);
    await naught.succeed(["stop"]);
  }),
);

test(
  "whatever follows the script is the script's, and the script cannot tell that naught is there",
  e2e(async (naught) => {
    const args = ["--worker-count", "7", "--help", "-x", "--", "a b", "", "--log=x"];
    await naught.succeed(["start", server("echo.cjs"), ...args]);
    const told = await echo(naught);
    assert.deepEqual((told.argv as unknown[]).slice(1), [server("echo.cjs"), ...args]);
    assert.deepEqual(told.execArgv, []);
    assert.deepEqual([told.main, told.isMain, told.hasParent], [server("echo.cjs"), true, false]);
    await naught.succeed(["stop"]);
  }),
);

test(
  "deploy takes a script, arguments and node's arguments; the next deploy keeps them",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs"), "old"]);
    const nodeArgs = ["--no-deprecation", "--max-old-space-size=200"];
    await naught.succeed([
      "deploy",
      "--script",
      server("echo.cjs"),
      `--node-args=${nodeArgs.join(" ")}`,
      "--",
      "new",
      "--x",
    ]);
    for (const round of ["first", "second"]) {
      const told = await echo(naught);
      assert.deepEqual((told.argv as unknown[]).slice(1), [server("echo.cjs"), "new", "--x"], round);
      assert.deepEqual(told.execArgv, nodeArgs, round);
      await naught.succeed(["deploy"]);
    }
    await naught.succeed(["stop"]);
  }),
);

test(
  "deploy sets variables anew and keeps those that are missing; --override-env false keeps all; --replace-env true removes",
  e2e(async (naught) => {
    await naught.succeed(["start", server("echo.cjs")], { env: { KEPT: "1", CHANGED: "1" } });
    assert.deepEqual(await variables(naught), { KEPT: "1", CHANGED: "1" });
    await naught.succeed(["deploy", "--override-env", "false"], { env: { CHANGED: "2", ADDED: "2" } });
    assert.deepEqual(await variables(naught), { KEPT: "1", CHANGED: "1" });
    await naught.succeed(["deploy"], { env: { CHANGED: "2", ADDED: "2" } });
    assert.deepEqual(await variables(naught), { KEPT: "1", CHANGED: "2", ADDED: "2" });
    await naught.succeed(["deploy", "--replace-env", "true"], { env: { ADDED: "3" } });
    assert.deepEqual(await variables(naught), { ADDED: "3" });
    await naught.succeed(["stop"]);
  }),
);

test(
  "a failed deploy leaves no variable, no script and no worker count behind",
  e2e(async (naught) => {
    await naught.succeed(["start", server("echo.cjs"), "old"], { env: { KEPT: "1" } });
    const options = ["--worker-count", "3", "--script", server("throws.cjs"), "--", "new"];
    assert.equal((await naught.run(["deploy", ...options], { env: { ADDED: "1" } })).code, 1);
    await replaceWorker(naught, "SIGKILL");
    assert.deepEqual(await variables(naught), { KEPT: "1" });
    await naught.succeed(["deploy", "--override-env", "false"]);
    assert.deepEqual(await variables(naught), { KEPT: "1" });
    assert.equal(((await echo(naught)).argv as unknown[]).at(-1), "old");
    assert.equal(naught.workers().length, 1);
    await naught.succeed(["stop"]);
  }),
);

test(
  "what is naught's own, node's own or systemd's own is not carried over by a deploy; NODE_OPTIONS is",
  e2e(async (naught) => {
    await naught.succeed(["start", server("echo.cjs")]);
    const foreign = {
      NAUGHT_WORKER: "77",
      NAUGHT_X: "1",
      NODE_UNIQUE_ID: "9",
      LISTEN_FDS: "1",
      LISTEN_PID: "1",
    };
    const env = { ...foreign, NOTIFY_SOCKET: "/x", WATCHDOG_USEC: "1", NODE_OPTIONS: "--no-warnings" };
    await naught.succeed(["deploy"], { env });
    const told = (await echo(naught)).env as Record<string, string>;
    assert.equal(told.NAUGHT_WORKER, "0");
    assert.equal(told.NODE_OPTIONS, "--no-warnings");
    for (const name of ["NAUGHT_X", "LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_USEC"]) {
      assert.equal(told[name], undefined, name);
    }
    await naught.succeed(["stop"]);
  }),
);

async function echo(naught: Naught): Promise<Readonly<Record<string, unknown>>> {
  return (await get(naught, "/echo")).body;
}

async function variables(naught: Naught): Promise<Record<string, unknown>> {
  const env = (await echo(naught)).env as Record<string, unknown>;
  return Object.fromEntries(
    ["KEPT", "CHANGED", "ADDED"].filter((name) => name in env).map((name) => [name, env[name]]),
  );
}

/** Makes the only worker crash, and waits for its replacement to serve. */
async function replaceWorker(naught: Naught, signal?: "SIGKILL"): Promise<void> {
  const pid = naught.workers()[0]?.pid ?? 0;
  if (signal === undefined) await get(naught, "/exit").catch(() => undefined);
  else process.kill(pid, signal);
  const isReplaced = async () =>
    naught.workers().every((each) => each.pid !== pid) &&
    (await naught.run(["status"])).stdout === "workers online: 1\n";
  await until("a replacement", isReplaced);
}
