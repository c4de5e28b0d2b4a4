/** A generation that is coming: it listens, and gets no connection before it takes over. So a bad deploy costs nothing. */
import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e, type Naught } from "../support/naught.js";
import { countDescriptors, kill } from "../support/processes.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

const rounds = Number(process.env.ROUNDS ?? 1);
const shape = { keepAlive: 4, fresh: 4, slow: 4, slowMs: 2_000, pauseMs: 5, idleMs: 300 };

describe("a coming generation", { concurrency: true }, () => {
  for (const balance of ["slots", "shared"] as const) {
    test(
      `${balance}: deploys that fail with half of their workers online, or are aborted, or time out: no request is hurt`,
      e2e(
        async (naught) => {
          await start(naught, "plain", balance);
          const load = await startLoad(naught, shape);
          for (let round = 0; round < rounds; round += 1) await spoil(naught);
          const report = await load.stop();
          assertUnhurt(report);
          // The versions are named for the way they boot.
          assert.deepEqual(Object.keys(report.versions), ["plain"]);
          await naught.succeed(["stop"]);
        },
        60_000 + rounds * 60_000,
      ),
    );

    test(
      `${balance}: however its servers come to listen, they accept when it takes over`,
      e2e(async (naught) => {
        await start(naught, "plain", balance);
        const load = await startLoad(naught, shape);
        for (const [how, count] of [
          ["reopens", "4"],
          ["warms_up", "1"],
          ["online_first", "2"],
        ] as const) {
          await naught.succeed(["deploy", "--worker-count", count], as(how));
          await load.saw(how);
        }
        assertUnhurt(await load.stop());
        await naught.succeed(["stop"]);
      }),
    );
  }

  test(
    "when nobody else accepts any more it does, and may ask itself for something before it is online",
    e2e(async (naught) => {
      await start(naught, "breaks");
      const old = naught.workers();
      const deploy = naught.spawn(["deploy"], as("is_lonely"));
      await until("a worker that listens", () => existsSync(naught.path("lonely")));
      naught.write("broken", "");
      for (const { pid } of old) kill(pid);
      naught.write("alone", "");
      assert.equal((await deploy.finished).code, 0);
      assert.equal((await get(naught)).body.version, "is_lonely");
      await naught.succeed(["stop"]);
    }),
  );

  test(
    "a worker that is killed while the daemon has yet to look at its wish to listen is not waited for",
    e2e(async (naught) => {
      await start(naught, "plain");
      const [daemon, old] = [naught.daemon(), naught.workers().map(({ pid }) => pid)];
      for (const times of [1, 2, 3]) {
        const deploy = naught.spawn(["deploy"], as("asks"));
        const isThere = (file: string) => existsSync(naught.path(file));
        await until("new workers", () => isThere("first") && isThere("second"), 30_000);
        // Not for long, or it is taken for hung.
        kill(daemon, "SIGSTOP");
        naught.write("go", "");
        await until("the wish", () => isThere("asking"));
        // It is sent in the same turn, and passed on by the master.
        await delay(50 * times);
        for (const { pid } of naught.workers()) if (!old.includes(pid)) kill(pid);
        kill(daemon, "SIGCONT");
        assert.equal((await deploy.finished).code, 1);
        for (const file of ["go", "asking", "first", "second"]) rmSync(naught.path(file));
      }
      naught.write("go", "");
      await naught.succeed(["deploy"], as("asks"));
      await naught.succeed(["stop"]);
    }),
  );

  test(
    "the old workers are not asked to go before the new ones accept",
    e2e(async (naught) => {
      await start(naught, "plain");
      const old = naught.workers().map(({ pid }) => pid);
      const deploy = naught.spawn(["deploy"], as("blocks"));
      await deploy.said("stderr", "ShutdownOld");
      const began = performance.now();
      for (let count = 0; count < 5; count += 1) {
        const { pid } = (await get(naught)).body;
        // New ones that do not answer at all are waited for 5 seconds.
        if (performance.now() - began < 4_000) assert.ok(old.includes(Number(pid)));
      }
      naught.write("go", "");
      assert.equal((await deploy.finished).code, 0);
      assert.equal((await get(naught)).body.version, "blocks");
      await naught.succeed(["stop"]);
    }),
  );

  test(
    "an address that a failed deploy has brought is given up, in every process",
    e2e(async (naught) => {
      await start(naught, "plain");
      const pids = [naught.daemon(), ...naught.workers().map(({ pid }) => pid)];
      const before = pids.map(countDescriptors);
      assert.equal((await naught.run(["deploy"], as("adds"))).code, 1);
      const isFree = () => get({ ...naught, port: naught.port + 1 }).then(() => false, isRefused);
      await until("the address to be nobody's", isFree);
      const isLess = () => pids.every((pid, at) => countDescriptors(pid) <= (before[at] ?? 0));
      await until("as many descriptors as before", isLess);
      await get(naught);
      await naught.succeed(["stop"]);
    }),
  );
});

async function start(naught: Naught, how: string, balance = "slots"): Promise<void> {
  await naught.succeed(["start", "--worker-count", "2", "--balance", balance, server("coming.cjs")], as(how));
}

async function spoil(naught: Naught): Promise<void> {
  for (const how of ["dies", "gives_up", "hangs"]) {
    for (const count of ["2", "4"]) {
      const args = ["deploy", "--timeout", "2", "--worker-count", count];
      assert.equal((await naught.run(args, as(how))).code, 1);
    }
  }
  const deploy = naught.spawn(["deploy"], as("hangs"));
  await deploy.said("stderr", /NewOnline/);
  await naught.succeed(["deploy-abort"]);
  await deploy.finished;
}

function as(how: string): { env: Record<string, string> } {
  return { env: { BOOT: how, VERSION: how } };
}

function isRefused({ code }: NodeJS.ErrnoException): boolean {
  return code === "ECONNREFUSED";
}
