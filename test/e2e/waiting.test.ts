/** Whoever waits for more than five seconds is told for which workers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { e2e } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { server } from "../support/servers.js";
import { ignoreCalls } from "../support/starve.js";
import { awaitStatus, isSettled } from "../support/survival.js";

test(
  "start, deploy, a deploy that joins it, and deploy-abort say whom they wait for",
  e2e(async (naught) => {
    const aside = ["--ipc-file", "aside.ipc", "--pid-file", "aside.pid", "--log", "aside.log"];
    const start = naught.spawn(["start", ...aside, server("never-online.cjs")]);
    await naught.succeed(["start", server("http.cjs")]);
    const { master } = await awaitStatus(naught, "the server", (status) => isSettled(status, 1));
    const deploy = naught.spawn(["deploy", "--script", server("never-online.cjs")]);
    await deploy.said("stderr", "SpawnNew");
    // A process that the kernel does not let go yet: its killing comes to nothing.
    const heed = await ignoreCalls(master?.pid ?? 0, "kill");
    naught.defer(heed);
    const joined = naught.spawn(["deploy"]);
    await joined.said("stderr", "already in progress");
    const abort = naught.spawn(["deploy-abort"]);
    await deploy.said("stderr", "DestroyNew");
    await Promise.all([
      start.said("stderr", /waiting for worker 0 \(pid \d+\): booting for \d+ s/, 30_000),
      ...[deploy, joined, abort].map((each) =>
        each.said("stderr", /waiting for worker 0 \(pid \d+\): dying for \d+ s/, 30_000),
      ),
    ]);
    await heed();
    const [, pid] = /worker 0 \(pid (\d+)\): dying/.exec(abort.stderr()) ?? [];
    kill(Number(pid));
    const ends = await Promise.all([deploy, joined, abort].map(({ finished }) => finished));
    assert.deepEqual(
      ends.map(({ code }) => code),
      [1, 1, 0],
    );
    await naught.succeed(["stop", "--timeout", "0", "aside.ipc"]);
    assert.equal((await start.finished).code, 1);
    await naught.succeed(["stop"]);
  }),
);

test(
  "with a daemon that is stopped, and no master to replace it, status and start say so, and are answered when it goes on",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs")]);
    const { daemon, master } = await awaitStatus(naught, "the server", (status) => isSettled(status, 1));
    const pid = daemon?.pid ?? 0;
    kill(pid, "SIGSTOP");
    naught.defer(() => kill(pid, "SIGCONT"));
    kill(master?.pid ?? 0);
    const [status, start] = [naught.spawn(["status"]), naught.spawn(["start", server("http.cjs")])];
    const said = `waiting for naught (pid ${pid}), which does not answer: it is stopped\n`;
    await Promise.all([status, start].map((each) => each.said("stderr", said, 30_000)));
    kill(pid, "SIGCONT");
    const ends = await Promise.all([status.finished, start.finished]);
    assert.deepEqual(
      ends.map(({ code, stderr }) => [code, stderr]),
      [
        [0, said],
        [1, said],
      ],
    );
    await awaitStatus(naught, "a new master", (now) => now.master?.pid !== master?.pid && isSettled(now, 1));
    await naught.succeed(["stop"]);
  }),
);
