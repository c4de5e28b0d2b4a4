/** The command `start` is killed at every stage, or its terminal goes: a whole server runs then, or nothing is left. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { e2e, type Naught } from "../support/naught.js";
import type { Running } from "../support/running.js";
import { server } from "../support/servers.js";
import { askStatus, isSettled } from "../support/survival.js";
import { until } from "../support/wait.js";

type Stage = readonly [what: string, reached: (naught: Naught, start: Running) => Promise<unknown>];

const file = (name: string): Stage => [
  `there is ${name}`,
  (naught) => until(name, () => existsSync(naught.path(name))),
];
const said = (word: string): Stage => [`it says ${word}`, (_naught, start) => start.said("stderr", word)];
const stages: readonly Stage[] = [
  // The command, and what it starts.
  ["there is a daemon", (naught) => until("the daemon", () => naught.processes().length > 1)],
  file("naught.ipc.owner"),
  file("naught.ipc"),
  file("naught.pid"),
  said("Bootup"),
  said("SpawnNew"),
  said("NewOnline"),
];
/** Milliseconds from the start of the command, on demand. */
const moments = (process.env.MOMENTS ?? "").split(",").filter(Boolean);
const timed = moments.map((ms): Stage => [`${ms} ms have passed`, () => delay(Number(ms))]);

async function isWhole(naught: Naught): Promise<boolean> {
  const status = await askStatus(naught);
  return status !== undefined && isSettled(status, 2);
}

for (const [what, end, chosen] of [
  ["is killed", (start: Running) => start.signal("SIGKILL"), [...stages, ...timed]],
  [
    "loses its terminal",
    (start: Running) => start.hangUp(),
    [...stages.slice(2, 4), ...stages.slice(-1), ...timed],
  ],
] as const) {
  test(
    `a start that ${what} is never half done`,
    e2e(
      async (naught) => {
        for (const [stage, reached] of chosen) {
          const start = naught.spawn(["start", "--worker-count", "2", server("http.cjs")]);
          await reached(naught, start);
          end(start);
          await start.finished;
          await until(
            `an end, ${what} as ${stage}`,
            async () => naught.processes().length === 0 || (await isWhole(naught)),
            20_000,
          );
          const isServing = naught.processes().length > 0;
          if (!isServing) await naught.succeed(["start", "--worker-count", "2", server("http.cjs")]);
          assert.equal((await naught.succeed(["status"])).stdout, "workers online: 2\n");
          await naught.succeed(["stop"]);
          assert.ok(!["naught.ipc", "naught.pid"].some((name) => existsSync(naught.path(name))));
        }
      },
      60_000 + moments.length * 5_000,
    ),
  );
}
