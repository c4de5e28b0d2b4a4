/** The daemon killed or stopped under load: a new one takes its place, and nobody notices but who looks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../src/client/client.js";
import type { ClientEvent } from "../../src/client/types.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e } from "../support/naught.js";
import { isAlive, kill } from "../support/processes.js";
import { server } from "../support/servers.js";
import { awaitStatus, isSettled } from "../support/survival.js";
import { until } from "../support/wait.js";

const rounds = Number(process.env.ROUNDS ?? 2);
const brief = ["--drain-grace", "2"];

for (const count of [1, 2])
  test(
    `the daemon of ${count === 1 ? "one worker" : "two workers"}, killed again and again under load`,
    e2e(
      async (naught) => {
        await naught.succeed(["start", "--worker-count", String(count), ...brief, server("http.cjs")]);
        const load = await startLoad(naught);
        const times: number[] = [];
        const first = await awaitStatus(naught, "the first daemon", (status) => isSettled(status, count));
        for (let round = 0; round < rounds; round += 1) {
          const killed = naught.daemon();
          const before = performance.now();
          kill(killed);
          const now = await awaitStatus(
            naught,
            "a new daemon",
            (status) => status.daemon?.pid !== killed && isSettled(status, count),
          );
          times.push(performance.now() - before);
          assert.deepEqual(
            now.workers.map(({ pid }) => pid),
            first.workers.map(({ pid }) => pid),
          );
          assert.equal(now.master?.pid, first.master?.pid);
          await naught.wrote("naught.pid", new RegExp(`^${now.daemon?.pid}\\n$`));
        }
        await naught.succeed(["deploy"]);
        assertUnhurt(await load.stop());
        console.log(`whole again after ${times.map(Math.round).join(", ")} ms`);
        await naught.succeed(["stop"]);
      },
      60_000 + rounds * 60_000,
    ),
  );

test(
  "a daemon that is stopped under load is killed and replaced",
  e2e(async (naught) => {
    await naught.succeed(["start", ...brief, server("http.cjs")]);
    const load = await startLoad(naught);
    const stopped = naught.daemon();
    await awaitStatus(naught, "the daemon to be at rest", (status) => isSettled(status, 1));
    kill(stopped, "SIGSTOP");
    naught.defer(() => kill(stopped, "SIGCONT"));
    await until("the stopped daemon to be gone", () => !isAlive(stopped), 30_000);
    await awaitStatus(
      naught,
      "a new daemon",
      (status) => status.daemon?.pid !== stopped && isSettled(status, 1),
    );
    assertUnhurt(await load.stop());
    await naught.succeed(["stop"]);
  }),
);

test(
  "clients come back to the new daemon: no event is missed, and the newest of all is Recovered",
  e2e(async (naught) => {
    await naught.succeed(["start", ...brief, server("http.cjs")]);
    const client = await connect(naught.path("naught.ipc"));
    naught.defer(() => client.close());
    const events = client.events();
    const { sequence = 0 } = await client.watch();
    kill(naught.daemon());
    const seen: ClientEvent[] = [];
    for await (const event of events) {
      seen.push(event);
      if (event.name === "Recovered") break;
    }
    const numbers = seen.map((event) => ("sequence" in event ? event.sequence : event.name));
    assert.deepEqual(
      numbers,
      Array.from({ length: seen.length }, (_, index) => sequence + 1 + index),
    );
    client.close();
    await naught.succeed(["stop"]);
  }),
);

test(
  "results of deploys outlive the daemon, and a deploy that it had taken is not made twice",
  e2e(async (naught) => {
    await naught.succeed(["start", ...brief, server("http.cjs")]);
    const client = await connect(naught.path("naught.ipc"));
    naught.defer(() => client.close());
    const settled = await client.deploy({ id: "first" });
    const killed = naught.daemon();
    kill(killed);
    await awaitStatus(naught, "a new daemon", (status) => status.daemon?.pid !== killed);
    assert.deepEqual(await client.attachDeploy({ deploy: "first" }), settled);
    assert.deepEqual(await client.deploy({ id: "first" }), settled);
    const status = await awaitStatus(naught, "the status", (now) => isSettled(now, 1));
    assert.equal(status.serving?.generation, 2);
    client.close();
    await naught.succeed(["stop"]);
  }),
);

test(
  "a master that dies right after its daemon leaves its workers to the new one",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "2", ...brief, server("http.cjs")]);
    const load = await startLoad(naught);
    const before = await awaitStatus(naught, "the daemon", (status) => isSettled(status, 2));
    kill(naught.daemon());
    await awaitStatus(naught, "a new daemon", (status) => status.daemon?.pid !== before.daemon?.pid);
    kill(before.master?.pid ?? 0);
    const after = await awaitStatus(
      naught,
      "a new master alone",
      (status) => status.master?.pid !== before.master?.pid && isSettled(status, 2),
    );
    kill(after.daemon?.pid ?? 0);
    await awaitStatus(
      naught,
      "the third daemon",
      (status) => status.daemon?.pid !== after.daemon?.pid && isSettled(status, 2),
    );
    assertUnhurt(await load.stop());
    await naught.succeed(["deploy"]);
    await naught.succeed(["stop"]);
  }),
);
