/**
 * The soak: many deploys of every kind of application, under load of every sort. Prints what the clients saw; the exit
 * status is 1 when a single request failed. Usage: `npm run soak -- [--deploys 100]`, that many of each kind.
 */
import { parseArgs } from "node:util";
import type { Report } from "../test/support/load-report.js";
import { e2e } from "../test/support/naught.js";
import { type Leaving, leavings, type Soaked, soak } from "../test/support/soak.js";

const { values } = parseArgs({ options: { deploys: { type: "string", default: "100" } } });
const deploys = Number(values.deploys);
if (!Number.isInteger(deploys) || deploys < 1) throw new Error("--deploys takes a number of deploys");

const shape = { keepAlive: 6, fresh: 3, slow: 3, slowMs: 2_000, streams: 3, streamMs: 5_000 };
const began = performance.now();
console.log(
  `Node ${process.versions.node}: ${deploys} deploys of each kind, 2 workers; ${JSON.stringify(shape)}`,
);
const rows = await Promise.all(leavings.map(run));
console.table(Object.fromEntries(rows));
const total = Math.round((performance.now() - began) / 1000);
console.log(
  rows.every(([, { failed }]) => failed === 0)
    ? `No request failed. ${total} s`
    : `REQUESTS FAILED. ${total} s`,
);
process.exitCode = rows.every(([, { failed }]) => failed === 0) ? 0 : 1;

async function run(leaving: Leaving): Promise<[string, ReturnType<typeof sum>]> {
  let soaked: Soaked | undefined;
  const progress = (deploy: number) => {
    if (deploy % 10 === 0) console.error(`${leaving}: ${deploy} deploys`);
  };
  await e2e(
    async (naught) => {
      soaked = await soak(naught, { leaving, deploys, shape, progress });
    },
    deploys * 60_000 + 120_000,
  )();
  if (soaked === undefined) throw new Error(`${leaving}: no report`);
  if (Object.keys(soaked.report.failures).length > 0)
    console.error(leaving, JSON.stringify(soaked.report, null, 1));
  return [leaving, sum(soaked)];
}

function sum({ report, deploys: times }: Soaked) {
  const { p50, p99, max } = report.latency;
  const sorted = times.toSorted((a, b) => a - b);
  return {
    served: report.ok,
    reused: report.reused,
    failed: countFailures(report),
    kinds: JSON.stringify(report.failures),
    "p50 ms": p50,
    "p99 ms": p99,
    "max ms": max,
    "deploy s (median)": seconds(sorted[Math.floor(sorted.length / 2)]),
    "deploy s (max)": seconds(sorted.at(-1)),
  };
}

function countFailures({ failures }: Report): number {
  return Object.values(failures).reduce((total, count) => total + count, 0);
}

function seconds(ms = 0): number {
  return Math.round(ms / 100) / 10;
}
