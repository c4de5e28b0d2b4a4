/** A stopped daemon has no follower while it lives; and what a worker prints waits for a daemon without descriptors. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e } from "../support/naught.js";
import { isAlive, kill } from "../support/processes.js";
import { server } from "../support/servers.js";
import { takeDescriptors } from "../support/starve.js";
import { askStatus, awaitStatus, isSettled } from "../support/survival.js";
import { until } from "../support/wait.js";

const two = ["start", "--worker-count", "2", "--drain-grace", "1"];

test(
  "a daemon that is stopped as its master dies keeps its place, and goes on when it wakes",
  e2e(async (naught) => {
    await naught.succeed([...two, server("http.cjs")]);
    const load = await startLoad(naught, { slowMs: 500 });
    const before = await awaitStatus(naught, "the server", (status) => isSettled(status, 2));
    const daemon = before.daemon?.pid ?? 0;
    kill(daemon, "SIGSTOP");
    naught.defer(() => kill(daemon, "SIGCONT"));
    kill(before.master?.pid ?? 0);
    await until("the master to be gone", () => !isAlive(before.master?.pid ?? 0));
    // Whoever wants its place is refused it.
    const start = naught.spawn(["start", server("exits.cjs")]);
    // Longer than a worker without master and daemon waits before it acts. Nothing announces that nothing happens.
    await delay(1_500);
    const { length } = naught.processes();
    assert.equal(length, 4, "the daemon, two workers, and the command");
    kill(daemon, "SIGCONT");
    const { code, stdout } = await start.finished;
    assert.deepEqual([code, /^(workers online|booting)/.test(stdout)], [1, true]);
    const after = await awaitStatus(naught, "a new master", (status) => isSettled(status, 2));
    assert.equal(after.daemon?.pid, daemon);
    assert.notEqual(after.master?.pid, before.master?.pid);
    assertUnhurt(await load.stop());
    await naught.succeed(["stop"]);
    assert.equal(await askStatus(naught), undefined);
  }),
);

test(
  "what a worker prints that was forked while the daemon had no descriptor left is in the log",
  e2e(async (naught) => {
    const script = naught.write(
      "prints.cjs",
      `console.log("born " + process.pid); require(${JSON.stringify(server("http.cjs"))});`,
    );
    await naught.succeed([...two, "--balance", "shared", script]);
    const before = naught.workers();
    const giveBack = takeDescriptors(naught.daemon(), 8);
    kill(before[1]?.pid ?? 0);
    await until("another worker", () =>
      naught.workers().some(({ pid }) => !before.some((each) => each.pid === pid)),
    );
    const born = naught.workers().find(({ pid }) => !before.some((each) => each.pid === pid))?.pid ?? 0;
    await naught.wrote("naught.log", /cannot read what worker 1 prints: EMFILE: too many open files/);
    giveBack();
    await naught.wrote("stdout.log", new RegExp(`^born ${born}$`, "m"), 20_000);
    await awaitStatus(naught, "two workers", (status) => isSettled(status, 2));
    await naught.succeed(["stop"]);
  }),
);
