/** The harness tells the truth: the servers under test serve, and what a program leaves behind is found. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e, type Naught } from "../support/naught.js";
import { countDescriptors, isAlive } from "../support/processes.js";
import { get } from "../support/request.js";
import { launch, type Running } from "../support/running.js";
import { kinds } from "../support/servers.js";

for (const kind of kinds) {
  test(
    `without naught, ${kind.name} serves every request`,
    e2e(async (naught) => {
      naught.write("version", "7\n");
      const child = fork(kind.script, { cwd: naught.dir, env: naught.env, execArgv: [...kind.nodeArgs] });
      const [word] = await once(child, "message");
      assert.equal(word, "online");
      const load = await startLoad(naught, { slowMs: 100 });
      const report = await load.stop();
      assertUnhurt(report);
      assert.deepEqual(Object.keys(report.versions), ["7"]);
      assert.equal((await get(naught, "/?id=x")).body.id, "x");
      child.kill();
      await once(child, "exit");
    }),
  );
}

test("a process that is left behind fails the test, and is killed", async () => {
  let left = 0;
  const leave = e2e(async (naught) => {
    left = await runProgram(naught, "setInterval(() => undefined, 1000)").then((running) => running.pid);
  });
  await assert.rejects(leave, /left behind:\nprocess \d+/);
  assert.equal(isAlive(left), false);
});

test("a process that has lost its environment is found by its directory", async () => {
  const leave = e2e(async (naught) => {
    launch("/usr/bin/env", ["-i", process.execPath, "-e", "setInterval(() => undefined, 1000)"], {
      cwd: naught.dir,
      env: {},
    });
  });
  await assert.rejects(leave, /left behind:\nprocess/);
});

test("a socket that is left behind fails the test", async () => {
  const leave = e2e(async (naught) => {
    const code = `require("node:net").createServer().listen("left.sock", () => process.kill(process.pid, "SIGKILL"))`;
    const running = launch(process.execPath, ["-e", code], { cwd: naught.dir, env: naught.env });
    await running.finished;
  });
  await assert.rejects(leave, /left behind:\nsocket left\.sock/);
});

test("a program that takes too long fails with what it had said", async () => {
  const wait = e2e(async (naught) => {
    const code = `console.log("so far"); setInterval(() => undefined, 1000)`;
    await launch(process.execPath, ["-e", code], { cwd: naught.dir, env: naught.env, timeout: 500 }).finished;
  });
  await assert.rejects(wait, /after 500 ms it still runs; stdout "so far\\n"/);
});

test("a program whose streams somebody holds open fails", async () => {
  const wait = e2e(async (naught) => {
    const code = `require("node:child_process").spawn("sleep", ["60"], { stdio: "inherit", detached: true }).unref()`;
    await launch(process.execPath, ["-e", code], { cwd: naught.dir, env: naught.env, timeout: 1_000 })
      .finished;
  });
  await assert.rejects(wait, /has exited with 0, but its streams are held open/);
});

test("a test that takes too long fails", async () => {
  await assert.rejects(
    e2e(() => new Promise(() => undefined), 200),
    /the test took longer than 200 ms/,
  );
});

test(
  "Ctrl-C reaches the program, and a line is awaited",
  e2e(async (naught) => {
    const code = `process.on("SIGINT", () => { console.error("heard it"); process.exit(5); }); setInterval(() => undefined, 1000); console.log("here");`;
    const running = await runProgram(naught, code);
    await running.said("stdout", "here");
    assert.ok(countDescriptors(running.pid) > 3);
    assert.equal(running.interrupt(), true);
    await running.said("stderr", /^heard it$/m);
    assert.equal((await running.finished).code, 5);
    assert.equal(running.interrupt(), false);
  }),
);

test(
  "workers are known by their slot, and their children are none",
  e2e(async (naught) => {
    const code = `require("node:child_process").spawn("sleep", ["60"]); console.log("here"); setInterval(() => undefined, 1000)`;
    const workers = ["1", "0"].map((slot) =>
      launch(process.execPath, ["-e", code], {
        cwd: naught.dir,
        env: { ...naught.env, NAUGHT_WORKER: slot },
      }),
    );
    await Promise.all(workers.map((each) => each.said("stdout", "here")));
    assert.deepEqual(
      naught.workers().map((each) => each.pid),
      workers.map((each) => each.pid).reverse(),
    );
    assert.equal(naught.processes().length, 4);
    await naught.killAll();
  }),
);

async function runProgram(naught: Naught, code: string): Promise<Running> {
  return launch(process.execPath, ["-e", code], { cwd: naught.dir, env: naught.env });
}
