/** Workers at rest: one that dies or retires is replaced, and what they print is kept. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventLines, line } from "../support/events.js";
import { e2e } from "../support/naught.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

test(
  "a worker that crashes at rest is replaced in its slot, and the log says so",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "2", server("dying.cjs")]);
    const before = naught.workers();
    await get(naught, "/crash").catch(() => undefined);
    const rest = line("WorkerOnline", { online: 2 });
    const log = await naught.wrote("naught.log", new RegExp(rest));
    const expected = [line("WorkerDeath", { online: 1 }), line("SpawnNew", { booting: 1, online: 1 }), rest];
    assert.deepEqual(
      eventLines(log).filter((each) => expected.includes(each)),
      expected,
    );
    const after = naught.workers();
    assert.deepEqual(
      after.map((each) => each.slot),
      [0, 1],
    );
    assert.equal(after.filter((each) => before.some((old) => old.pid === each.pid)).length, 1);
    assert.match(naught.read("stderr.log"), /crashed on request/);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a worker that declares itself offline is replaced, finishes its work, and leaves",
  e2e(async (naught) => {
    await naught.succeed(["start", server("dying.cjs")]);
    const before = naught.workers();
    const slow = get(naught, "/slow?ms=1000&id=slow");
    const { pid } = (await get(naught, "/offline?id=1")).body;
    assert.equal(pid, before[0]?.pid);
    const log = await naught.wrote("naught.log", /WorkerOnline/);
    const expected = [
      line("WorkerOffline", { dying: 1 }),
      line("SpawnNew", { booting: 1, dying: 1 }),
      line("WorkerOnline", { online: 1, dying: 1 }),
    ];
    assert.deepEqual(
      eventLines(log).filter((each) => expected.includes(each)),
      expected,
    );
    assert.equal((await slow).body.id, "slow");
    await until("the old worker to leave", () => naught.workers().length === 1);
    assert.notEqual(naught.workers()[0]?.pid, pid);
    await naught.succeed(["stop"]);
  }),
);

test(
  "what workers print is in the logs, whole and in order",
  e2e(async (naught) => {
    await naught.succeed(["start", server("lines.cjs")]);
    for (let count = 0; count < 20; count += 1) await get(naught, "/print");
    await naught.succeed(["stop"]);
    for (const [file, word] of [
      ["stdout.log", "out"],
      ["stderr.log", "err"],
    ] as const) {
      const numbers = naught
        .read(file)
        .split("\n")
        .filter((each) => each.startsWith(`${word} `));
      assert.deepEqual(
        numbers.map((each) => Number(each.split(" ")[2])),
        Array.from({ length: 21 }, (_, n) => n + 1),
      );
    }
  }),
);
