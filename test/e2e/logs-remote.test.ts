/** `naught logs` through ssh, through a key that may do nothing else, and into a reader that has seen enough. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { unlessCi } from "../support/installed.js";
import { listArchives, readLog } from "../support/log-files.js";
import { e2e, type Naught, program } from "../support/naught.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { findObstacle, startSshd } from "../support/sshd.js";
import { until } from "../support/wait.js";

const run = promisify(execFile);
const skip = unlessCi(findObstacle());

/** So many lines of a server that then prints one for each request. */
function start(naught: Naught, lines: number, options: readonly string[]): Promise<unknown> {
  const script = naught.write(
    "server.cjs",
    `const { exitOnShutdown, routes } = require(${JSON.stringify(server("http-core.cjs"))});
    exitOnShutdown();
    let count = 0;
    const print = () => console.log("line", count++, "☃".repeat(count % 30));
    for (let i = 0; i < ${lines}; i++) print();
    routes["/print"] = () => void print();`,
  );
  return naught.succeed(["start", "--max-log-files", "none", ...options, script]);
}

/** All that is logged, once so many lines are, and every archive is compressed. */
async function readAtRest(naught: Naught, lines: number): Promise<string> {
  const file = naught.path("stdout.log");
  await until(
    "the log to be at rest",
    async () =>
      (await listArchives(file)).every((name) => name.endsWith(".gz")) &&
      (await naught.succeed(["logs", "--stdout", "-n", "1"])).stdout.startsWith(`line ${lines - 1} `),
    30_000,
  );
  return await readLog(file);
}

test(
  "logs on another host are what they are there, archives included, and are followed across rotations",
  { skip },
  e2e(async (naught) => {
    const ssh = await startSshd(naught);
    await start(naught, 500, ["--max-log-size", "1000"]);
    const at = ["--stdout", "--host", ssh.destination, naught.path("naught.ipc")];
    const options = { env: ssh.env, cwd: "/" };
    const all = await readAtRest(naught, 500);
    assert.ok(all.endsWith(`line 499 ${"☃".repeat(500 % 30)}\n`));
    assert.deepEqual(await naught.succeed(["logs", "-n", "all", ...at], options), {
      stdout: all,
      stderr: "",
      code: 0,
      signal: null,
    });
    const follower = naught.spawn(["logs", "-f", "-n", "1", ...at], options);
    await follower.said("stdout", "line 499 ");
    for (let count = 0; count < 60; count += 1) await get(naught, "/print");
    await follower.said("stdout", "line 559 ");
    await naught.succeed(["stop"]);
    const { code, stdout, stderr } = await follower.finished;
    assert.deepEqual([code, stderr], [0, ""]);
    const after = await readLog(naught.path("stdout.log"));
    assert.equal(stdout, after.slice(after.indexOf("line 499 ")));
  }),
);

test(
  "a key that is allowed logs reads them and does nothing else; one that is not does not",
  { skip },
  e2e(async (naught) => {
    const ssh = await startSshd(naught);
    const through = (name: string, methods: string) => {
      const bridge = `${process.execPath} ${program} bridge --allow ${methods} ${naught.path("naught.ipc")}`;
      return { ...ssh.addKey(name, `restrict,command="${bridge}"`), NAUGHT_HOST: ssh.destination };
    };
    await start(naught, 30, []);
    const all = await readAtRest(naught, 30);
    const reader = { env: through("reader", "logs") };
    const own = await naught.succeed(["logs", "--stdout", "-n", "2"], reader);
    assert.equal(own.stdout, all.split("\n").slice(-3).join("\n"));
    const watcher = { env: through("watcher", "status,watch") };
    for (const [command, method, options] of [
      ["status", "status", reader],
      ["reopen-logs", "reopenLogs", reader],
      ["logs", "logs", watcher],
    ] as const) {
      const { code, stdout, stderr } = await naught.run([command], options);
      assert.deepEqual(
        [code, stdout, stderr],
        [1, "", `naught ${command}: "daemon/${method}" is not allowed on this connection\n`],
      );
    }
    await naught.succeed(["stop"]);
  }),
);

test(
  "a reader that has seen enough ends logs at once, and well",
  e2e(async (naught) => {
    await start(naught, 60_000, []);
    await until("all of it", () => naught.read("stdout.log").includes("line 59999 "));
    const command = `"$0" "$1" logs -n all --stdout | head -n 2; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await run("bash", ["-c", command, process.execPath, program], {
      cwd: naught.dir,
      env: naught.env,
    });
    assert.deepEqual([stdout, stderr], ["line 0 ☃\nline 1 ☃☃\n0\n", ""]);
    await naught.succeed(["stop"]);
  }),
);
