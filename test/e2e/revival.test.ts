/** Everything but the workers is dead: what comes back, and what does not stand in the way of whom. */
import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { test } from "node:test";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e, type Naught } from "../support/naught.js";
import { isAlive, kill } from "../support/processes.js";
import { server } from "../support/servers.js";
import { awaitStatus, isSettled } from "../support/survival.js";
import { until } from "../support/wait.js";

/** Two workers that serve, and who else there is. */
async function startTwo(naught: Naught, script: string): Promise<{ daemon: number; master: number }> {
  await naught.succeed(["start", "--worker-count", "2", "--drain-grace", "1", script]);
  const status = await awaitStatus(naught, "the server", (now) => isSettled(now, 2));
  return { daemon: status.daemon?.pid ?? 0, master: status.master?.pid ?? 0 };
}

for (const [who, alsoMaster, ipcFile] of [
  ["daemon", false, true],
  ["daemon and master", true, true],
  ["daemon and master, and whose ipc file was removed,", true, false],
] as const) {
  test(
    `starts right after the death of ${who} find that server, and no other`,
    e2e(async (naught) => {
      const { daemon, master } = await startTwo(naught, server("http.cjs"));
      const load = await startLoad(naught);
      if (alsoMaster) kill(master);
      kill(daemon);
      if (!ipcFile) rmSync(naught.path("naught.ipc"));
      const starts = Array.from({ length: 3 }, () => naught.run(["start", server("exits.cjs")]));
      for (const { code, stdout, stderr } of await Promise.all(starts)) {
        assert.equal(code, 1, stderr);
        assert.match(stdout, /^(workers online: \d|booting\n.*)\n$/, stderr);
      }
      const status = await awaitStatus(naught, "the server", (now) => isSettled(now, 2));
      assert.notEqual(status.daemon?.pid, daemon);
      assert.match(status.serving?.script ?? "", /http\.cjs$/);
      assertUnhurt(await load.stop());
      await naught.succeed(["stop"]);
    }),
  );
}

test(
  "workers that cannot bring their daemon back are named to a start, and serve on",
  e2e(async (naught) => {
    const { daemon, master } = await startTwo(naught, server("http.cjs"));
    const load = await startLoad(naught);
    const workers = naught.workers().map(({ pid }) => pid);
    // What they would need for it.
    const state = JSON.parse(naught.read("naught.ipc.state")) as Record<string, string>;
    kill(daemon, "SIGSTOP");
    naught.write("naught.ipc.state", JSON.stringify({ ...state, start: "{}" }));
    kill(master);
    kill(daemon);
    const { code, stderr } = await naught.run(["start", server("http.cjs")]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^unable to start daemon: processes of a server whose daemon has died \(pid \d+, \d+\) cannot bring it back; end them first\n$/,
    );
    assert.deepEqual(
      naught.workers().map(({ pid }) => pid),
      workers,
    );
    assertUnhurt(await load.stop());
    for (const pid of workers) kill(pid);
    await naught.succeed(["start", server("http.cjs")]);
    await naught.succeed(["stop"]);
    assert.deepEqual(
      readdirSync(naught.dir).filter((name) => name.startsWith("naught.")),
      ["naught.log"],
    );
  }),
);

test(
  "of a master that was stopped for a while, and one that was brought up meanwhile, the latter goes on",
  e2e(async (naught) => {
    const script = naught.path("late.cjs");
    const late = (ms: number) => naught.write("late", `${ms}`);
    naught.write(
      "late.cjs",
      `const ms = Number(require("node:fs").readFileSync(${JSON.stringify(naught.path("late"))}));
      setTimeout(() => require(${JSON.stringify(server("http.cjs"))}), ms);`,
    );
    late(0);
    await naught.succeed(["start", "--worker-count", "1", "--drain-grace", "1", script]);
    const first = await awaitStatus(naught, "the server", (now) => isSettled(now, 1));
    const load = await startLoad(naught);
    // So that the first worker is needed until the end.
    late(3_000);
    kill(first.master?.pid ?? 0);
    const second = await awaitStatus(
      naught,
      "another master with a worker of its own",
      ({ master, workers }) =>
        master !== undefined && master.pid !== first.master?.pid && workers.some(({ stray }) => !stray),
    );
    const stopped = second.master?.pid ?? 0;
    kill(stopped, "SIGSTOP");
    kill(first.daemon?.pid ?? 0);
    const third = await awaitStatus(
      naught,
      "a daemon and a master that the worker has brought up",
      ({ daemon, master }) =>
        daemon?.pid !== first.daemon?.pid && master !== undefined && master.pid !== stopped,
    );
    kill(stopped, "SIGCONT");
    await until("a daemon of the one that was stopped", () =>
      naught.processes().some(({ parent, command }) => parent === stopped && /daemon/.test(command)),
    );
    // It waits for the lock, and has it before anybody else does.
    kill(third.daemon?.pid ?? 0);
    const last = await awaitStatus(
      naught,
      "one tree",
      (now) => now.daemon?.pid !== third.daemon?.pid && isSettled(now, 1) && !isAlive(stopped),
    );
    assert.equal(last.master?.pid, third.master?.pid);
    assertUnhurt(await load.stop());
    await naught.succeed(["stop"]);
    assert.deepEqual(naught.processes(), []);
  }),
);
