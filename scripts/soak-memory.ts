/**
 * Memory over time: deploys and crashes of workers by the hundred, and what daemon and master hold afterwards beyond what
 * they held after the first ten rounds. Each round is one deploy, after which every worker is killed once. The exit status
 * is 1 when either holds more than 5 MB more. Node's debugging port, 9229, has to be free.
 * Usage: `npm run soak:memory -- [--rounds 500] [--workers 10]`.
 */
import { parseArgs } from "node:util";
import { connect } from "../src/client/index.js";
import { type Heap, measureHeap } from "../test/support/inspector.js";
import { e2e, type Naught } from "../test/support/naught.js";
import { kill } from "../test/support/processes.js";
import { server } from "../test/support/servers.js";
import { until } from "../test/support/wait.js";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "500" }, workers: { type: "string", default: "10" } },
});
const [rounds, workers] = [Number(values.rounds), Number(values.workers)];
const allowed = 5 * 2 ** 20;
/** Rounds after which everything that is kept in a bounded number has been filled, or begun to be. */
const warmUp = 10;

interface Held {
  readonly daemon: Heap;
  readonly master: Heap;
}

async function soak(naught: Naught): Promise<void> {
  const start = ["start", "--worker-count", String(workers), "--drain-grace", "0", server("http.cjs")];
  await naught.succeed(start);
  const client = await connect(naught.path("naught.ipc"));
  let first: Held | undefined;
  for (let round = 1; round <= rounds; round += 1) {
    const { outcome, reason } = await client.deploy({ id: `round-${round}` });
    if (outcome !== "done") throw new Error(`round ${round}: ${outcome}, ${reason}`);
    const before = (await client.status()).workers;
    for (const { pid } of before) kill(pid);
    const dead = new Set(before.map(({ id }) => id));
    await until(
      `every worker of round ${round} to be replaced`,
      async () => {
        const now = await client.status();
        return now.counts.online === workers && now.workers.every(({ id }) => !dead.has(id));
      },
      60_000,
    );
    if (round === warmUp) first = await look(naught, round);
    else if (round % 50 === 0 && round !== rounds) await look(naught, round);
  }
  const last = await look(naught, rounds);
  client.close();
  await naught.succeed(["stop", "--timeout", "10"]);
  if (!first) return;
  for (const name of ["daemon", "master"] as const) {
    const heap = last[name].used - first[name].used;
    const resident = last[name].resident - first[name].resident;
    const verdict = heap <= allowed && resident <= allowed ? "well" : "TOO MUCH";
    console.log(
      `${name}: heap ${mega(heap)}, resident ${mega(resident)} more than after ${warmUp}: ${verdict}`,
    );
    if (verdict !== "well") process.exitCode = 1;
  }
}

async function look(naught: Naught, round: number): Promise<Held> {
  const daemon = naught.daemon();
  const master = naught.processes().find(({ command }) => /naught master|master\.cjs/.test(command))?.pid;
  if (master === undefined) throw new Error("there is no master");
  const held = { daemon: await measureHeap(daemon), master: await measureHeap(master) };
  const tell = ({ used, resident }: Heap): string => `heap ${mega(used)}, resident ${mega(resident)}`;
  console.log(`after ${round} rounds: daemon ${tell(held.daemon)}; master ${tell(held.master)}`);
  return held;
}

function mega(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}

await e2e(soak, rounds * 60_000 + 60_000)();
