/** naught as the first process of a pid namespace, as it is in a container: signals, orphans, exit status. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { eventLines, line } from "../support/events.js";
import { makeGate } from "../support/gate.js";
import { installNaught, unlessCi } from "../support/installed.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e, type Naught } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { get } from "../support/request.js";
import { launch, type Running } from "../support/running.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

const namespace = ["--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL"];
const skip = unlessCi(
  spawnSync("unshare", [...namespace, "true"]).status !== 0 && "no pid namespaces can be had here",
);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(
    `as the first process naught deploys on SIGHUP, and stops in order on ${signal}`,
    { skip },
    e2e(async (naught) => {
      naught.write("version", "1");
      const { running, first } = await startFirst(naught, ["--worker-count", "2", server("http.cjs")]);
      const load = await startLoad(naught, { slowMs: 500 });
      naught.write("version", "2");
      kill(first, "SIGHUP");
      await naught.wrote("naught.log", /(Ready[\s\S]*){2}/);
      await load.saw("2");
      assertUnhurt(await load.stop());
      const slow = get(naught, "/slow?ms=1000&id=slow");
      await get(naught);
      kill(first, signal);
      assert.equal((await slow).body.id, "slow");
      assert.equal((await running.finished).code, 0);
      assert.equal(eventLines(naught.read("naught.log")).at(-1), line("Shutdown"));
      assert.equal(existsSync(naught.path("naught.ipc")), false);
    }),
  );
}

test(
  "as the first process naught ends with 1 when the server throws at boot",
  { skip },
  e2e(async (naught) => {
    const { code, stderr } = await runFirst(naught, install(naught), [server("throws.cjs")]).finished;
    assert.equal(code, 1);
    assert.match(stderr, /^The server crashed without booting\. Check stderr\.log\.$/m);
  }),
);

test(
  "as the first process naught stops on SIGTERM while a worker is not online yet, and ends with 1",
  { skip },
  e2e(async (naught) => {
    const code = 'process.on("message", (message) => message === "shutdown" && process.exit(0));';
    const running = runFirst(naught, install(naught), [naught.write("silent.cjs", code)]);
    await naught.wrote("naught.log", /SpawnNew/);
    kill(findFirst(naught, running), "SIGTERM");
    assert.equal((await running.finished).code, 1);
  }),
);

test(
  "a command that is the first process is ended by a signal like any other process",
  { skip },
  e2e(async (naught) => {
    const gate = makeGate(naught);
    await naught.succeed(["start", gate.script]);
    gate.shut();
    const deploy = unshare(naught, install(naught), ["deploy"]);
    await deploy.said("stderr", "SpawnNew");
    kill(findFirst(naught, deploy), "SIGTERM");
    assert.equal((await deploy.finished).code, 128 + 15);
    gate.open();
    await naught.succeed(["stop"]);
  }),
);

test(
  "with koffi the first process buries the orphans that end, and still hears of its own children's ends",
  { skip },
  e2e(async (naught) => {
    const { running, first } = await startFirst(naught, [server("orphans.cjs")], { koffi: true });
    assert.doesNotMatch(naught.read("naught.log"), /PID 1/);
    for (const path of ["/orphan", "/orphan", "/orphan"]) await get(naught, path);
    const orphans = await until("three orphans", () => {
      const found = naught
        .processes()
        .filter(({ parent, command }) => parent === first && /^sleep/.test(command));
      return found.length === 3 && found.map(({ pid }) => pid);
    });
    const master = naught.processes().find(({ parent, pid }) => parent === first && !orphans.includes(pid));
    for (const pid of orphans) kill(pid);
    kill(master?.pid ?? 0);
    await naught.wrote("naught.log", /the master process was killed by SIGKILL; a new one starts now/);
    await until("no trace of the orphans", () => !orphans.some((pid) => existsSync(`/proc/${pid}`)));
    await naught.wrote("naught.log", /(Ready[\s\S]*){2}/);
    kill(first, "SIGTERM");
    assert.equal((await running.finished).code, 0);
  }),
);

test(
  "without koffi the first process says once that it cannot bury orphans",
  { skip },
  e2e(async (naught) => {
    const { running, first } = await startFirst(naught, [server("http.cjs")]);
    await naught.succeed(["deploy"]);
    kill(first, "SIGTERM");
    assert.equal((await running.finished).code, 0);
    assert.equal(naught.read("naught.log").match(/PID 1/g)?.length, 1);
  }),
);

interface First {
  readonly running: Running;
  /** Its process id out here. */
  readonly first: number;
}

async function startFirst(
  naught: Naught,
  args: readonly string[],
  { koffi }: { readonly koffi: boolean } = { koffi: false },
): Promise<First> {
  const running = runFirst(naught, install(naught, koffi), args);
  await naught.wrote("naught.log", /Ready/);
  return { running, first: findFirst(naught, running) };
}

function install(naught: Naught, koffi = false): string {
  return installNaught(naught.path("installed"), { koffi });
}

function runFirst(naught: Naught, program: string, args: readonly string[]): Running {
  return unshare(naught, program, ["start", "--daemon-mode", "false", ...args]);
}

function unshare(naught: Naught, program: string, args: readonly string[]): Running {
  return launch("unshare", [...namespace, process.execPath, program, ...args], {
    cwd: naught.dir,
    env: naught.env,
    timeout: 60_000,
  });
}

// Never by the pid file: in there it says 1.
function findFirst(naught: Naught, { pid }: Running): number {
  const found = naught.processes().find(({ parent }) => parent === pid);
  if (!found) throw new Error("there is no first process");
  return found.pid;
}
