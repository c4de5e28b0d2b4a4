/** The commands over ssh: a start ends the session at once, and a session that breaks ends no deploy. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventLines, line } from "../support/events.js";
import { makeGate } from "../support/gate.js";
import { unlessCi } from "../support/installed.js";
import { e2e, program } from "../support/naught.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { findObstacle, startSshd } from "../support/sshd.js";
import { until } from "../support/wait.js";

const skip = unlessCi(findObstacle());
const command = `${process.execPath} ${program}`;

for (const { told, options } of [
  { told: "without a terminal", options: [] },
  { told: "in a terminal", options: ["-tt"] },
]) {
  test(
    `over ssh ${told} start, status, deploy and stop do as they do here, and the daemon outlives the session`,
    { skip },
    e2e(async (naught) => {
      const ssh = await startSshd(naught);
      const run = (args: string) => ssh.run(`${command} ${args}`, ...options).finished;
      const start = await run(`start --worker-count 2 ${server("http.cjs")}`);
      assert.equal(start.code, 0);
      assert.match(start.stdout, /workers online: 2\r?\n$/);
      const before = naught.workers();
      assert.equal(before.length, 2);
      assert.equal((await get(naught)).status, 200);
      assert.match((await run("status")).stdout, /^workers online: 2\r?\n$/);
      const deploy = await run("deploy");
      assert.equal(deploy.code, 0);
      assert.match(deploy.stdout + deploy.stderr, /done\r?\n$/);
      assert.ok(naught.workers().every(({ pid }) => !before.some((worker) => worker.pid === pid)));
      assert.equal((await run("stop")).code, 0);
      assert.equal((await run("status")).code, 1);
    }),
  );

  test(
    `a connection ${told} that breaks in the middle of a deploy leaves the deploy going on to its end`,
    { skip },
    e2e(async (naught) => {
      const ssh = await startSshd(naught);
      const gate = makeGate(naught);
      assert.equal((await ssh.run(`${command} start ${gate.script}`, ...options).finished).code, 0);
      const before = naught.workers();
      gate.shut();
      const deploy = ssh.run(`${command} deploy`, ...options);
      await deploy.said(options.length === 0 ? "stderr" : "stdout", "SpawnNew");
      deploy.signal("SIGKILL");
      await deploy.finished;
      assert.match((await naught.run(["status"])).stdout, /^deploy in progress\n/);
      gate.open();
      await naught.wrote("naught.log", /(Ready[\s\S]*){2}/);
      const after = await until("one worker", () => naught.workers().length === 1 && naught.workers());
      assert.notDeepEqual(after, before);
      await naught.succeed(["stop"]);
      assert.equal(eventLines(naught.read("naught.log")).at(-1), line("Shutdown"));
    }),
  );
}
