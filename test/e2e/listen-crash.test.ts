/** Workers that die or leave under load: nobody is refused, nobody hangs, and only what the victim had in hand is lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { assertUnhurt, startLoad } from "../support/load.js";
import type { Report } from "../support/load-report.js";
import { e2e, type Naught } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

/** `ROUNDS=20 node scripts/test.mjs e2e/listen-crash` is the series at length: that many of each kind. */
const asked = process.env.ROUNDS;
const rounds = (usual: number): number => Number(asked ?? usual);

/** No request is slow, and few are in flight at a time. */
const shape = { keepAlive: 4, fresh: 4, slow: 1, slowMs: 100, pauseMs: 10, idleMs: 100 };

const deeds = {
  "kill -9": (naught: Naught) => kill(naught.workers()[0]?.pid ?? 0),
  "a throw": (naught: Naught) => void get(naught, "/throw").catch(() => undefined),
  "exit(1)": (naught: Naught) => void get(naught, "/exit").catch(() => undefined),
} as const;

for (const balance of ["slots", "shared"] as const) {
  for (const [name, deed] of Object.entries(deeds)) {
    for (const workers of [1, 2]) {
      const times = rounds(name === "kill -9" ? 6 - 2 * workers : 1);
      test(
        `${balance}: ${name} of ${workers === 1 ? "the only worker" : "one of 2 workers"}, ${times} times: nobody is refused and nobody hangs`,
        e2e(
          async (naught) => {
            let lost = 0;
            for (let round = 0; round < times; round += 1) {
              // A new daemon each time: one whose workers die again and again waits before it tries again.
              const args = ["start", "--balance", balance, "--worker-count", String(workers)];
              await naught.succeed([...args, server("listen-dying.cjs")]);
              const load = await startLoad(naught, shape);
              const before = naught.workers().map(({ pid }) => pid);
              deed(naught);
              await until("another worker", () => {
                const now = naught.workers();
                return now.length === workers && now.some(({ pid }) => !before.includes(pid));
              });
              await logged(naught, "WorkerOnline", round + 1);
              await get(naught);
              lost += assertOnlyInFlight(await load.stop());
              await naught.succeed(["stop"]);
            }
            if (asked)
              console.log(`${balance}, ${workers}: ${name}, ${times} times: ${lost} lost with the victim`);
          },
          30_000 + times * 15_000,
        ),
      );
    }
  }
}

// With round-robin the sockets are node:cluster's, which closes them when the last worker dies or leaves: that is its
// price. With two workers nobody is refused, but connections may hang that were on their way to the victim.
test(
  "round-robin: kill -9 of one of two workers: nobody is refused",
  e2e(async (naught) => {
    await naught.succeed(["start", "--balance", "round-robin", "--worker-count", "2", server("http.cjs")]);
    const load = await startLoad(naught, { ...shape, timeoutMs: 2_000 });
    kill(naught.workers()[0]?.pid ?? 0);
    await naught.wrote("naught.log", /WorkerOnline/);
    const { refused = 0 } = (await load.stop()).failures;
    assert.equal(refused, 0);
    await naught.succeed(["stop"]);
  }),
);

for (const balance of ["slots", "shared", "round-robin"] as const) {
  const workers = balance === "round-robin" ? "2" : "1";
  test(
    `${balance}: ${workers === "1" ? "the only worker" : "one of two workers"} says offline, ${rounds(2)} times, and not a request fails`,
    e2e(
      async (naught) => {
        await naught.succeed([
          "start",
          "--balance",
          balance,
          "--worker-count",
          workers,
          server("listen-dying.cjs"),
        ]);
        const load = await startLoad(naught, shape);
        for (let round = 1; round <= rounds(2); round += 1) {
          // One that says so in its first second has failed, and its next successor has to wait.
          if (round > 1) await delay(1_100);
          await get(naught, "/offline");
          await logged(naught, "WorkerDeath", round);
          await logged(naught, "Ready", round + 1);
        }
        assertUnhurt(await load.stop());
        await naught.succeed(["stop"]);
      },
      60_000 + rounds(2) * 30_000,
    ),
  );

  test(
    `${balance}: deploys with 4, 1 and 4 workers under load, and not a request fails`,
    e2e(
      async (naught) => {
        await naught.succeed(["start", "--balance", balance, "--worker-count", "4", server("http.cjs")]);
        const load = await startLoad(naught, shape);
        for (let round = 0; round < rounds(1); round += 1)
          for (const count of ["1", "4"]) await naught.succeed(["deploy", "--worker-count", count]);
        assertUnhurt(await load.stop());
        await naught.succeed(["stop"]);
      },
      60_000 + rounds(2) * 30_000,
    ),
  );
}

async function logged(naught: Naught, event: string, times: number): Promise<void> {
  const isThere = () => naught.read("naught.log").split(event).length > times;
  await until(`${event} for the ${times}th time`, isThere, 20_000);
}

/** Says how many those were. */
function assertOnlyInFlight(report: Report): number {
  const { resetFresh = 0, resetReused = 0, truncated = 0, ...others } = report.failures;
  const text = JSON.stringify(report, null, 1);
  assert.deepEqual(others, {}, `failures that are not the victim's: ${text}`);
  // Each loop of the load has one request in flight at the most.
  assert.ok(resetFresh + resetReused + truncated <= shape.keepAlive + shape.fresh + shape.slow, text);
  const times = report.details.map(({ failedAt }) => failedAt);
  assert.ok(times.length === 0 || Math.max(...times) - Math.min(...times) < 200, `not all at once: ${text}`);
  return resetFresh + resetReused + truncated;
}
