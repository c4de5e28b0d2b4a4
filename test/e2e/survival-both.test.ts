/** Daemon and master killed together, under load: a worker brings a new daemon up, and that the rest. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { server } from "../support/servers.js";
import { awaitStatus, isSettled, isWhole } from "../support/survival.js";

const rounds = Number(process.env.ROUNDS ?? 1);

for (const count of [1, 2])
  test(
    `daemon and master of ${count === 1 ? "one worker" : "two workers"}, killed together again and again`,
    e2e(
      async (naught) => {
        const script = server("http.cjs");
        await naught.succeed(["start", "--worker-count", String(count), "--drain-grace", "2", script]);
        const load = await startLoad(naught);
        const times: number[] = [];
        let last = await awaitStatus(naught, "the first tree", (status) => isSettled(status, count));
        for (let round = 0; round < rounds; round += 1) {
          const { daemon, master } = last;
          const before = performance.now();
          kill(daemon?.pid ?? 0);
          kill(master?.pid ?? 0);
          await awaitStatus(
            naught,
            "new ones of all",
            (status) =>
              status.daemon?.pid !== daemon?.pid &&
              status.master?.pid !== master?.pid &&
              isWhole(status, count),
          );
          times.push(performance.now() - before);
          last = await awaitStatus(naught, "the strays to be gone", (status) => isSettled(status, count));
        }
        await naught.succeed(["deploy"]);
        assertUnhurt(await load.stop());
        console.log(`whole again after ${times.map(Math.round).join(", ")} ms`);
        await naught.succeed(["stop"]);
        assert.deepEqual(naught.processes(), []);
      },
      60_000 + rounds * 90_000,
    ),
  );
