/** `naught logs` and `naught reopen-logs`. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, renameSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { e2e, type Naught, program } from "../support/naught.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

const run = promisify(execFile);

async function print(naught: Naught, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) await get(naught, "/print");
}

test(
  "logs shows the last lines, of one log or of both, of one worker or of all, and what comes",
  e2e(async (naught) => {
    const options = ["--log-prefix", "worker,time", "--max-log-size", "500"];
    await naught.succeed(["start", "--worker-count", "2", ...options, server("lines.cjs")]);
    await print(naught, 40);
    const line = /^\d{4}-\d\d-\d\dT[\d:.]+Z \[[01] \d+\] (?:out|err) \d+ \d+$/;
    const last = (await naught.succeed(["logs", "-n", "3", "--stdout"])).stdout.split("\n");
    assert.equal(last.length, 4);
    for (const each of last.slice(0, 3)) assert.match(each, line);
    const all = (await naught.succeed(["logs", "-n", "all", "--stdout"])).stdout;
    assert.equal(all.trim().split("\n").length, 42);
    const own = (await naught.succeed(["logs", "-n", "all", "--stdout", "--worker", "1"])).stdout;
    assert.deepEqual(own, all.replace(/^\S+ \[0 .*\n/gm, ""));
    assert.ok(own.length > 0 && own.length < all.length);
    const both = (await naught.succeed(["logs", "-n", "1"])).stdout;
    assert.match(both, /^==> .*stdout\.log <==\n.* out .*\n\n==> .*stderr\.log <==\n.* err .*\n$/);
    assert.equal((await naught.succeed(["logs", "--since", "1h", "--stdout"])).stdout, all);
    assert.match((await naught.succeed(["logs", "--naught"])).stdout, /^Ready\. booting: 0, online: 2/m);
    const follower = naught.spawn(["logs", "-f", "-n", "0", "--stdout"]);
    // It has asked for the end before anything more is printed.
    await naught.succeed(["status"]);
    await until("the follower to follow", async () => {
      await print(naught, 1);
      return follower.stdout() !== "";
    });
    await print(naught, 40);
    const after = (await naught.succeed(["logs", "-n", "all", "--stdout"])).stdout;
    await until("the follower to have all", () => after.endsWith(follower.stdout().slice(-200)));
    await naught.succeed(["stop"]);
    const { code, stdout, stderr } = await follower.finished;
    assert.deepEqual([code, stderr], [0, ""]);
    assert.ok(after.endsWith(stdout), "nothing is missing, and nothing is there twice");
  }),
);

test(
  "logs ends well when its reader goes, and says what it cannot do",
  e2e(async (naught) => {
    assert.deepEqual((await naught.run(["logs"])).stderr, "server not running\n");
    await naught.succeed(["start", "--stderr", "/dev/null", server("lines.cjs")]);
    await print(naught, 100);
    const command = `"$0" "$1" logs -f -n all | head -n 2; echo "\${PIPESTATUS[0]}"`;
    const options = { cwd: naught.dir, env: naught.env };
    let isOver = false;
    const piped = run("bash", ["-c", command, process.execPath, program], options).finally(() => {
      isOver = true;
    });
    // Whoever has nothing to write does not notice that nobody reads.
    await until("the follower to notice", async () => {
      await print(naught, 1);
      return isOver;
    });
    const { stdout } = await piped;
    assert.match(stdout, /^out \d+ 1\nout \d+ 2\n0\n$/);
    const blind = await naught.run(["logs", "--worker", "0"]);
    assert.deepEqual(
      [blind.code, blind.stderr],
      [
        1,
        "naught logs: --worker needs lines that say whose they are: start with --log-prefix worker or --log-format json\n",
      ],
    );
    const nowhere = await naught.run(["logs", "--stderr"]);
    assert.deepEqual(
      [nowhere.code, nowhere.stderr],
      [1, "naught logs: nothing of that is logged to a file\n"],
    );
    await naught.succeed(["stop"]);
  }),
);

test(
  "a log that was moved is opened anew: when naught is told, by a signal, and by itself",
  e2e(async (naught) => {
    await naught.succeed(["start", server("lines.cjs")]);
    const ways: readonly (readonly [string, () => unknown])[] = [
      ["command", () => naught.succeed(["reopen-logs"])],
      ["signal", () => process.kill(naught.daemon(), "SIGUSR2")],
      ["nothing", () => undefined],
    ];
    let printed = 1;
    for (const [name, tell] of ways) {
      renameSync(naught.path("stdout.log"), naught.path(`${name}.old`));
      await tell();
      await until("a new log", () => existsSync(naught.path("stdout.log")));
      await print(naught, 10);
      await naught.wrote("stdout.log", new RegExp(`^out \\d+ ${printed + 10}$`, "m"));
      printed += 10;
    }
    await naught.succeed(["stop"]);
    const files = [...ways.map(([name]) => `${name}.old`), "stdout.log"].map(naught.read).join("");
    const numbers = files.match(/\d+$/gm)?.map(Number);
    assert.deepEqual(numbers, [...Array(printed + 1).keys()].slice(1));
  }),
);

test(
  "json: each line an object, naught's own, too",
  e2e(async (naught) => {
    const options = ["--log-format", "json", "--naught-log-format", "json"];
    await naught.succeed(["start", ...options, server("lines.cjs")]);
    const [worker] = naught.workers();
    process.kill(worker?.pid ?? 0, "SIGKILL");
    await naught.wrote("naught.log", /"WorkerOnline"/);
    await naught.succeed(["stop"]);
    const [first = ""] = naught.read("stderr.log").split("\n");
    const { time, ...rest } = JSON.parse(first);
    assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const pid = worker?.pid;
    const about = { worker: 0, slot: 0, pid, generation: 1, stream: "stderr" };
    assert.deepEqual(rest, { ...about, line: `err ${pid} 1` });
    const own = naught
      .read("naught.log")
      .trim()
      .split("\n")
      .map((each) => JSON.parse(each));
    assert.ok(own.some(({ event, counts }) => event === "Ready" && counts.online === 1));
    const death = own.find(({ event }) => event === "WorkerDeath");
    assert.match(death.reason, /^was killed by SIGKILL after /);
    assert.deepEqual([death.worker, death.pid, death.generation], [0, pid, 1]);
    assert.deepEqual(death.stderr, [`err ${pid} 1`]);
    assert.ok(own.every(({ time: when }) => !Number.isNaN(Date.parse(when))));
  }),
);
