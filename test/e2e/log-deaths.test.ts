/**
 * Workers that print while somebody is killed: what the system had taken from them is in the log, once, whole and in its
 * order. ROUNDS makes it longer.
 */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import type { Status } from "../../src/protocol/types.js";
import { audit, countMissing } from "../support/audit.js";
import { listArchives, readLog, readNumbers } from "../support/log-files.js";
import { e2e, type Naught } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { server } from "../support/servers.js";
import { awaitStatus, isSettled } from "../support/survival.js";
import { until } from "../support/wait.js";

const rounds = Number(process.env.ROUNDS ?? 2);
const workers = 2;
/** What one read may hold when its daemon is killed. */
const mostLost = 64 * 1024;

interface Death {
  readonly who: string;
  readonly pick: (status: Status) => readonly (number | undefined)[];
  /** For each kill and worker. */
  readonly mayLose: number;
  readonly options?: readonly string[];
}

const deaths: readonly Death[] = [
  { who: "the master", pick: ({ master }) => [master?.pid], mayLose: 0 },
  { who: "the daemon", pick: ({ daemon }) => [daemon?.pid], mayLose: mostLost },
  {
    who: "the daemon, while it rotates and compresses,",
    pick: ({ daemon }) => [daemon?.pid],
    // And what waits while the file is changed.
    mayLose: mostLost + 2 ** 20,
    options: ["--max-log-size", "3000", "--max-log-files", "none"],
  },
  {
    who: "both at once",
    pick: ({ daemon, master }) => [daemon?.pid, master?.pid],
    mayLose: mostLost,
  },
];

for (const { who, pick, mayLose, options = [] } of deaths)
  test(
    `${who} is killed while workers print: no line is torn, doubled or out of its order, and ${mayLose === 0 ? "none is missing" : "no more than was on its way is missing"}`,
    e2e(
      async (naught) => {
        const all = ["--worker-count", String(workers), "--drain-grace", "0", ...options];
        await naught.succeed(["start", ...all, server("numbered.cjs")]);
        let last = await awaitStatus(naught, "the first tree", (status) => isSettled(status, workers));
        for (let round = 0; round < rounds; round += 1) {
          const before = pick(last);
          for (const pid of before) kill(pid ?? 0);
          last = await awaitStatus(
            naught,
            "new ones of all",
            (status) =>
              isSettled(status, workers) && pick(status).every((pid, index) => pid && pid !== before[index]),
          );
          await awaitGrowth(naught);
        }
        await awaitCompression(naught);
        await naught.succeed(["stop"]);
        const missing = countMissing(await audit(naught));
        if (mayLose > 0) console.log(`${missing} bytes missing after ${rounds} kills`);
        assert.ok(missing <= mayLose * workers * rounds, `${missing} bytes are missing`);
      },
      60_000 + rounds * 60_000,
    ),
  );

/** No archive that is there now stays plain, or half compressed; there are always new ones. */
async function awaitCompression(naught: Naught): Promise<void> {
  const list = async () =>
    (await listArchives(naught.path("stdout.log"))).filter((name) => !name.endsWith(".gz"));
  for (const name of await list())
    await until(`${name} to be compressed`, async () => !(await list()).includes(name), 40_000);
}

/** There is more in the log than a moment ago. */
async function awaitGrowth(naught: Naught): Promise<void> {
  const file = naught.path("stdout.log");
  const measure = async () => ({
    archives: (await listArchives(file)).length,
    size: statSync(file, { throwIfNoEntry: false })?.size ?? 0,
  });
  const before = await measure();
  await until("the log to grow", async () => {
    const { archives, size } = await measure();
    return archives > before.archives || size > before.size;
  });
}

test(
  "a worker is killed while it prints: all that the system had taken from it is there",
  e2e(async (naught) => {
    await naught.succeed(["start", server("accepted.cjs")]);
    const killed: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const worker = await until("a worker that has printed", () => {
        const pid = naught.workers().find((each) => !killed.includes(each.pid))?.pid;
        return pid !== undefined && Number(naught.read(`accepted-${pid}`)) > 1000 && pid;
      });
      kill(worker);
      killed.push(worker);
    }
    await until("the last one to be replaced", () =>
      naught.workers().some(({ pid }) => !killed.includes(pid)),
    );
    await naught.succeed(["stop"]);
    const numbers = readNumbers(await readLog(naught.path("stdout.log")));
    assert.ok(numbers.size > rounds);
    for (const [pid, own] of numbers) {
      const accepted = Number(naught.read(`accepted-${pid}`));
      assert.deepEqual(own, [...Array(own.length).keys()]);
      // It may have been killed between a line and its count.
      assert.ok(own.length === accepted || own.length === accepted + 1, `${own.length} of ${accepted}`);
    }
  }),
);
