/** The master killed or stopped under load: its workers serve on, a new master comes, and nobody is turned away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { awaitStatus, isSettled, isWhole } from "../support/survival.js";

const rounds = Number(process.env.ROUNDS ?? 2);
const brief = ["--drain-grace", "2"];

for (const count of [1, 2])
  test(
    `the master of ${count === 1 ? "one worker" : "two workers"}, killed again and again under load`,
    e2e(
      async (naught) => {
        await naught.succeed(["start", "--worker-count", String(count), ...brief, server("http.cjs")]);
        const load = await startLoad(naught);
        const times: number[] = [];
        let last = await awaitStatus(naught, "the first master", (status) => isSettled(status, count));
        for (let round = 0; round < rounds; round += 1) {
          const killed = last.master?.pid ?? 0;
          const before = performance.now();
          kill(killed);
          await awaitStatus(
            naught,
            "new workers",
            (status) => status.master?.pid !== killed && isWhole(status, count),
          );
          times.push(performance.now() - before);
          last = await awaitStatus(naught, "the strays to be gone", (status) => isSettled(status, count));
        }
        assertUnhurt(await load.stop());
        console.log(`whole again after ${times.map(Math.round).join(", ")} ms`);
        await naught.succeed(["stop"]);
        assert.deepEqual(naught.processes(), []);
      },
      60_000 + rounds * 90_000,
    ),
  );

test(
  "a master that is stopped under load is noticed, killed and replaced",
  e2e(async (naught) => {
    await naught.succeed(["start", ...brief, server("http.cjs")]);
    const load = await startLoad(naught);
    const before = await awaitStatus(naught, "the master", (status) => isSettled(status, 1));
    const stopped = before.master?.pid ?? 0;
    kill(stopped, "SIGSTOP");
    naught.defer(() => kill(stopped, "SIGCONT"));
    await awaitStatus(
      naught,
      "a new master, and nobody left of the old one",
      (status) => status.master?.pid !== stopped && isSettled(status, 1),
    );
    assertUnhurt(await load.stop());
    assert.match(
      naught.read("naught.log"),
      /the master process \(pid \d+\) has been stopped: it is killed\n/,
    );
    await naught.succeed(["stop"]);
  }),
);

test(
  "a tree that is stopped as a whole, and goes on, kills nobody",
  e2e(async (naught) => {
    await naught.succeed(["start", server("http.cjs")]);
    const before = await awaitStatus(naught, "the master", (status) => isSettled(status, 1));
    const tree = naught.processes().map(({ pid }) => pid);
    for (const pid of tree) kill(pid, "SIGSTOP");
    naught.defer(() => tree.map((pid) => kill(pid, "SIGCONT")));
    // Longer than a silence may last. Nothing announces that nothing happens.
    await delay(4_000);
    for (const pid of tree) kill(pid, "SIGCONT");
    await delay(1_500);
    const after = await awaitStatus(naught, "an answer", (status) => isSettled(status, 1));
    assert.deepEqual([after.daemon?.pid, after.master?.pid], [before.daemon?.pid, before.master?.pid]);
    assert.deepEqual(
      after.workers.map(({ pid }) => pid),
      before.workers.map(({ pid }) => pid),
    );
    await naught.succeed(["stop"]);
  }),
);

test(
  "a stop right after the master's death takes the strays along, in order",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "2", ...brief, server("http.cjs")]);
    const load = await startLoad(naught, { keepAlive: 2, fresh: 0, slow: 2, slowMs: 500 });
    const { master } = await awaitStatus(naught, "the master", (status) => isSettled(status, 2));
    await load.stop();
    kill(master?.pid ?? 0);
    await naught.succeed(["stop"]);
    assert.deepEqual(naught.processes(), []);
  }),
);

test(
  "a deploy right after the master's death works, and numbers are not given twice",
  e2e(async (naught) => {
    await naught.succeed(["start", ...brief, server("http.cjs")]);
    const load = await startLoad(naught);
    const before = await awaitStatus(naught, "the master", (status) => isSettled(status, 1));
    kill(before.master?.pid ?? 0);
    await naught.succeed(["deploy"]);
    const after = await awaitStatus(naught, "the new workers alone", (status) => isSettled(status, 1));
    const [old, now] = [before.workers[0], after.workers[0]];
    assert.ok(old && now && now.id > old.id + 1 && now.generation === 2, JSON.stringify([old, now]));
    assertUnhurt(await load.stop());
    await naught.succeed(["stop"]);
  }),
);

test(
  "workers see nothing of their lifeline",
  e2e(async (naught) => {
    await naught.succeed(["start", server("echo.cjs")]);
    const { body } = await get(naught, "/echo");
    const names = Object.keys(body.env as object).filter((name) => name.startsWith("NAUGHT_"));
    assert.deepEqual(names, ["NAUGHT_WORKER"]);
    await naught.succeed(["stop"]);
  }),
);
