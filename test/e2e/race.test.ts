/** Two starts at the same moment on one ipc file: exactly one wins, and the other prints that one's status. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { e2e } from "../support/naught.js";
import { server } from "../support/servers.js";

const pairs = Number(process.env.PAIRS ?? 10);

for (const kind of ["fresh", "stale"] as const) {
  test(
    `${pairs / 2} pairs of starts on a ${kind} ipc file: exactly one wins`,
    e2e(
      async (naught) => {
        for (let pair = 0; pair < pairs / 2; pair += 1) {
          if (kind === "stale") {
            await naught.succeed(["start", server("http.cjs")]);
            await naught.killAll();
          }
          const start = () => naught.run(["start", server("http.cjs")]);
          const [winner, loser] = (await Promise.all([start(), start()])).sort(
            (a, b) => (a.code ?? 9) - (b.code ?? 9),
          );
          assert.deepEqual([winner?.code, winner?.stdout], [0, "workers online: 1\n"]);
          assert.equal(loser?.code, 1);
          assert.match(loser?.stdout ?? "", /^(workers online: \d|booting\nbooting: \d, online: \d, .*)\n$/);
          assert.equal(naught.workers().length, 1);
          assert.equal((await naught.run(["status"])).stdout, "workers online: 1\n");
          await naught.succeed(["stop"]);
        }
      },
      30_000 + pairs * 5_000,
    ),
  );
}
