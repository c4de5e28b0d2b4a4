/** Master, daemon, or both killed under a stream of datagrams: whole again in a while, and each datagram is answered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type DatagramLoad, startDatagrams } from "../support/datagram-load.js";
import { e2e, type Naught } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { server } from "../support/servers.js";
import { awaitStatus, isSettled } from "../support/survival.js";
import { until } from "../support/wait.js";

const rounds = Number(process.env.ROUNDS ?? 2);
const script = server("datagrams.cjs");

for (const count of [1, 2]) {
  for (const [what, victims] of [
    ["the master", ["master"]],
    ["the daemon", ["daemon"]],
    ["daemon and master", ["daemon", "master"]],
  ] as const) {
    test(
      `${what} of ${count === 1 ? "one worker" : "two workers"} that read datagrams, killed again and again`,
      e2e(
        async (naught) => {
          await naught.succeed(["start", "--worker-count", String(count), script]);
          const load = await startDatagrams(naught);
          for (let round = 0; round < rounds; round += 1) await killAndWait(naught, count, victims);
          // What was left to whoever came is enough for what is to come.
          await naught.succeed(["deploy"]);
          load.answerers();
          await assertAnswered(naught, load);
          const sent = await load.stop();
          console.log(`${sent} datagrams, each answered`);
          await naught.succeed(["stop"]);
          assert.deepEqual(naught.processes(), []);
        },
        60_000 + rounds * 60_000,
      ),
    );
  }
}

for (const balance of ["shared", "round-robin"])
  test(
    `--balance ${balance}: a killed master's workers and the next one's read from the same socket`,
    e2e(async (naught) => {
      await naught.succeed(["start", "--balance", balance, "--worker-count", "2", script]);
      const load = await startDatagrams(naught);
      await killAndWait(naught, 2, ["master"]);
      await load.stop();
      await naught.succeed(["stop"]);
    }),
  );

/** Resolves when there are new ones of all that died, and with the master of all workers. */
async function killAndWait(
  naught: Naught,
  count: number,
  victims: readonly ("daemon" | "master")[],
): Promise<void> {
  const before = await awaitStatus(naught, "the tree", (status) => isSettled(status, count));
  const old = new Set(before.workers.map(({ pid }) => pid));
  for (const name of victims) kill(before[name]?.pid ?? 0);
  await awaitStatus(
    naught,
    "a whole tree",
    (status) =>
      isSettled(status, count) &&
      victims.every((name) => status[name] && status[name]?.pid !== before[name]?.pid) &&
      status.workers.every(({ pid }) => old.has(pid) === !victims.some((name) => name === "master")),
  );
}

/** Somebody answers, and only those who are there. */
async function assertAnswered(naught: Naught, load: DatagramLoad): Promise<void> {
  const pids = naught.workers().map(({ pid }) => pid);
  await until("answers of the new workers alone", () => {
    const answerers = [...load.answerers()];
    return answerers.length > 0 && answerers.every((pid) => pids.includes(pid));
  });
}
