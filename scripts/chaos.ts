/**
 * Chaos at length: deaths, stops and deploys in a random order under constant load, round after round with another seed.
 * Prints each step; the exit status is 1 when a request failed that nothing explains, or a server was not whole again in
 * time. Usage: `npm run chaos -- [--minutes 60] [--seed N] [--workers 2]`
 */
import { parseArgs } from "node:util";
import { runChaos } from "../test/support/chaos.js";
import { e2e } from "../test/support/naught.js";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    workers: { type: "string", default: "2" },
  },
});
const [minutes, seed, workers] = [Number(values.minutes), Number(values.seed), Number(values.workers)];
if (!(minutes > 0) || !Number.isInteger(seed) || !(workers > 0))
  throw new Error("--minutes takes a number, --seed an integer, --workers a number of workers");

/** Each round begins with a server of its own. */
const round = Math.min(minutes, 5) * 60_000;
const rounds = Math.max(1, Math.round((minutes * 60_000) / round));
const times: number[] = [];
const failed: string[] = [];
let served = 0;
let cut = 0;
for (let index = 0; index < rounds; index += 1) {
  const own = seed + index;
  console.log(`Node ${process.versions.node}, seed ${own}, ${workers} workers`);
  const body = e2e(async (naught) => {
    const outcome = await runChaos(naught, { seed: own, workers, ms: round, say: console.log });
    times.push(...outcome.times);
    served += outcome.report.ok;
    for (const count of Object.values(outcome.report.failures)) cut += count;
    for (const each of outcome.unexplained) failed.push(`seed ${own}: ${JSON.stringify(each)}`);
  }, round + 300_000);
  await body().catch((error: Error) => failed.push(`seed ${own}: ${error.message}`));
}
const sorted = times.toSorted((a, b) => a - b);
const at = (share: number): number => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
console.log(
  `${times.length} steps; ${served} requests served, ${cut} cut with their worker, ${failed.length} unexplained`,
);
console.log(`at rest again after ${at(0.5)} ms (median), ${at(0.95)} ms (95 %), ${at(1)} ms (longest)`);
for (const line of failed) console.log(line);
process.exitCode = failed.length > 0 ? 1 : 0;
