/** Applications with shutdown code of their own: naught has drained before it runs, so it cuts nobody and is quick. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e } from "../support/naught.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

const shape = { keepAlive: 6, fresh: 3, slow: 3, slowMs: 1_000 };
const ways = [
  ...["close", "closeAllConnections", "http-terminator", "stoppable", "close-with-grace"].map((way) => ({
    way,
    script: "closing.cjs",
  })),
  { way: "express-graceful-exit", script: "graceful-exit.cjs" },
  { way: "Fastify's close", script: "fastify.mjs" },
];

for (const { way, script } of ways) {
  test(
    `five deploys of a server that shuts down with ${way}: no request fails, and old workers end by themselves`,
    e2e(async (naught) => {
      const options = { env: { WAY: way } };
      naught.write("version", "0");
      await naught.succeed(["start", "--worker-count", "2", server(script)], options);
      const load = await startLoad(naught, shape);
      for (let round = 1; round <= 5; round += 1) {
        naught.write("version", String(round));
        const began = performance.now();
        await naught.succeed(["deploy"], options);
        const ms = Math.round(performance.now() - began);
        // A connection may be idle for 6 s; whoever waits for more than that has missed something.
        assert.ok(ms < 12_000, `deploy ${round} took ${ms} ms`);
        await load.saw(String(round));
      }
      assertUnhurt(await load.stop());
      await naught.succeed(["stop"]);
    }, 180_000),
  );
}

test(
  "an error handler that says offline and closes the only server gracefully: only the request that threw is hurt",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "1", server("graceful-exit.cjs")]);
    const load = await startLoad(naught, shape);
    for (let round = 0; round < 3; round += 1) {
      const [before] = naught.workers();
      const thrown = await get(naught, "/throw");
      assert.deepEqual(thrown, { status: 500, body: { error: "thrown on purpose" } });
      await until("another worker to be alone", () => {
        const workers = naught.workers();
        return workers.length === 1 && workers[0]?.pid !== before?.pid;
      });
    }
    assertUnhurt(await load.stop());
    await naught.succeed(["stop"]);
  }),
);
