/** The daemon is detached: from the terminal, from the caller's descriptors, and from the directory it was started in. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { test } from "node:test";
import { dropWaiting, startLines, stopLines } from "../support/events.js";
import { e2e, type Naught, program } from "../support/naught.js";
import { kill, listDescriptors } from "../support/processes.js";
import { get } from "../support/request.js";
import { launch } from "../support/running.js";
import { server } from "../support/servers.js";
import { findTree, readCwd, readSession } from "../support/tree.js";
import { until } from "../support/wait.js";

const naughtCommand = `"${process.execPath}" "${program}"`;

function shell(naught: Naught, command: string) {
  return launch("/bin/bash", ["-c", command], { cwd: naught.dir, env: naught.env }).finished;
}

test(
  "$(naught start …) returns with what it printed, and holds no stream",
  e2e(async (naught) => {
    const command = `all=$(${naughtCommand} start --worker-count 2 ${server("http.cjs")} 2>&1); echo "[$all]"`;
    const { stdout, code } = await shell(naught, command);
    assert.equal(code, 0);
    assert.equal(stdout, `[${startLines(2)}workers online: 2]\n`);
    await naught.succeed(["stop"]);
  }),
);

test(
  "no descriptor of the caller's is left open in daemon, master or worker",
  e2e(async (naught) => {
    const open = "exec 7>low 30</dev/zero 200>lock";
    await shell(naught, `${open}; flock -n 200 && ${naughtCommand} start ${server("http.cjs")}`);
    const { daemon, master, workers } = await findTree(naught, 1);
    for (const pid of [daemon, master, ...workers]) {
      const descriptors = listDescriptors(pid);
      for (const each of descriptors) assert.doesNotMatch(each, /\/(low|lock|zero)$/);
      assert.ok(descriptors.includes("0 /dev/null"));
    }
    assert.equal((await shell(naught, "flock -n lock true")).code, 0);
    await naught.succeed(["stop"]);
  }),
);

test(
  "daemon and master are leaders of sessions of their own, without a terminal",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs")]);
    const { daemon, master } = await findTree(naught, 1);
    for (const pid of [daemon, master]) assert.deepEqual(readSession(pid), { session: pid, terminal: 0 });
    await naught.succeed(["stop"]);
  }),
);

test(
  "the daemon lives in --cwd, and works on when that directory is removed and made anew",
  e2e(async (naught) => {
    mkdirSync(naught.path("app"));
    await naught.succeed(["start", "--cwd", "app", server("echo.cjs")]);
    assert.equal(readCwd(naught.daemon()), naught.path("app"));
    rmSync(naught.path("app"), { recursive: true });
    const failed = await naught.run(["deploy"]);
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /cannot use the working directory .*\/app: no such file or directory/);
    mkdirSync(naught.path("app"));
    await naught.succeed(["deploy"]);
    const { workers } = await findTree(naught, 1);
    assert.equal(readCwd(workers[0] ?? 0), naught.path("app"));
    assert.equal((await get(naught, "/echo")).body.cwd, naught.path("app"));
    const stop = await naught.succeed(["stop"]);
    assert.equal(dropWaiting(stop.stderr), stopLines(1));
  }),
);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(
    `${signal} stops the daemon`,
    e2e(async (naught) => {
      await naught.succeed(["start", "--worker-count", "2", server("http.cjs")]);
      kill(naught.daemon(), signal);
      await until("everything to be gone", () => naught.processes().length === 0);
      assert.match(naught.read("naught.log"), /Shutdown\. booting: 0, online: 0, dying: 0, new_online: 0\n$/);
      for (const name of ["naught.ipc", "naught.ipc.owner", "naught.pid"])
        assert.ok(!existsSync(naught.path(name)));
    }),
  );
}

test(
  "SIGHUP deploys, with the environment of the start",
  e2e(async (naught) => {
    await naught.succeed(["start", server("echo.cjs")], { env: { COLOUR: "red" } });
    const before = await findTree(naught, 1);
    kill(before.daemon, "SIGHUP");
    await until("another worker alone", () => {
      const [first, ...more] = naught.workers();
      return first !== undefined && more.length === 0 && first.pid !== before.workers[0];
    });
    const after = await findTree(naught, 1);
    assert.deepEqual([after.daemon, after.master], [before.daemon, before.master]);
    assert.equal(((await get(naught, "/echo")).body.env as Record<string, string>).COLOUR, "red");
    await naught.succeed(["stop"]);
  }),
);

test(
  "SIGHUP during a deploy is refused, and the log says so",
  e2e(async (naught) => {
    await naught.succeed(["start", gated(naught)]);
    rmSync(naught.path("gate"));
    const deploy = naught.spawn(["deploy"]);
    await deploy.said("stderr", "SpawnNew");
    kill(naught.daemon(), "SIGHUP");
    await naught.wrote("naught.log", /a deploy is already in progress/);
    naught.write("gate", "");
    assert.equal((await deploy.finished).code, 0);
    await naught.succeed(["stop"]);
  }),
);

test(
  "signals to the master are nobody's business",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "2", server("http.cjs")]);
    const before = await findTree(naught, 2);
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) kill(before.master, signal);
    await naught.succeed(["status"]);
    assert.deepEqual(await findTree(naught, 2), before);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a terminal that goes away in the middle of a deploy leaves the deploy going on to its end",
  e2e(async (naught) => {
    await naught.succeed(["start", gated(naught)]);
    const before = await findTree(naught, 1);
    rmSync(naught.path("gate"));
    const args = ["-qec", `${naughtCommand} deploy`, "/dev/null"];
    const terminal = launch("script", args, { cwd: naught.dir, env: naught.env });
    await terminal.said("stdout", "SpawnNew");
    const command = naught
      .processes()
      .find(({ command }) => command.includes(" deploy") && !command.startsWith("script"));
    assert.notEqual(readSession(command?.pid ?? 0).terminal, 0);
    // With its last holder the terminal is gone, and everybody in it is hung up.
    terminal.signal("SIGKILL");
    await terminal.finished;
    await until("the command to be gone", () => !naught.processes().some(({ pid }) => pid === command?.pid));
    assert.equal(
      (await naught.run(["status"])).stdout,
      "deploy in progress\nbooting: 1, online: 1, dying: 0, new_online: 0\n",
    );
    naught.write("gate", "");
    await until("another worker alone", () => {
      const [first, ...more] = naught.workers();
      return first !== undefined && more.length === 0 && first.pid !== before.workers[0];
    });
    assert.equal((await naught.succeed(["status"])).stdout, "workers online: 1\n");
    await naught.succeed(["stop"]);
  }),
);

/** A server that says `online` as soon as there is a file called gate. */
function gated(naught: Naught): string {
  naught.write("gate", "");
  const code = `const { existsSync } = require("node:fs");
    const wait = setInterval(() => {
      if (!existsSync("gate")) return;
      clearInterval(wait);
      require(${JSON.stringify(server("http.cjs"))});
    }, 10);`;
  return naught.write("gated.cjs", code);
}
