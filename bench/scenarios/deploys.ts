/** Deploys under load: what fails, how long requests take meanwhile, how long a deploy takes. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openLoad } from "../client/open-load.js";
import type { PhaseReport } from "../client/open-words.js";
import { servers } from "../contenders/cluster.js";
import { rotate, withService } from "../contenders/company.js";
import type { Contender } from "../contenders/contender.js";
import { addFailures, sayFailures } from "../report/failures.js";
import type { Plan, Section } from "../report/section.js";
import { type Book, openBook } from "../report/table.js";
import { findCapacity } from "./capacity.js";

const columns = [
  { key: "asked", label: "requests", unit: "" },
  { key: "failed", label: "failed", unit: "" },
  { key: "kinds", label: "how", unit: "" },
  { key: "deploy", label: "a deploy", unit: "ms", floor: "cluster" },
  { key: "steady99", label: "p99 steady", unit: "ms" },
  { key: "deploy99", label: "p99 during deploys", unit: "ms" },
  { key: "ratio", label: "during deploys ÷ steady", unit: "×" },
];

const app = { script: join(servers, "app.cjs"), workers: 2 };
const env = { BOOT_MS: "500", WORK_US: "1000" };

export async function deploys(plan: Plan): Promise<Section> {
  const rate = 0.5 * (await findCapacity(app, env));
  const tables = [];
  for (const leaving of plan.quick ? (["exit"] as const) : (["close", "exit"] as const)) {
    const title =
      leaving === "close"
        ? "A server that closes itself when it is told to leave, then exits"
        : "A server that exits at once when it is told to leave";
    const book = openBook(`deploys-${leaving}`, title, columns);
    for (const round of plan.rounds(2, 130)) {
      for (const contender of rotate(plan.contenders, round)) {
        plan.say(`deploys, ${leaving}, round ${round + 1}: ${contender.name}`);
        await plan.attempt(`deploys, ${contender.name}`, () =>
          measure(contender, book, rate, leaving, plan.quick),
        );
      }
    }
    for (const name of Object.keys(book.table.rows)) sayFailures(book, name);
    tables.push(book.table);
  }
  return {
    name: "deploys",
    title: "Deploys under load",
    notes: [
      `2 workers that take 500 ms to boot and 1 ms of processor time for a request. Half of what a bare cluster can take on this machine: ${Math.round(rate)} requests/s, open loop, 80 % of them on 32 kept connections, 20 % on new ones. Latency counts from when a request was due. ${plan.quick ? 1 : 3} deploys in each round, a second apart.`,
      "Requests, failures and their kinds are those that were due from the first deploy until a second after the last. A failure is one that a client without retries would see: refused, reset on a new or on a reused connection, truncated, not answered within 5 s.",
    ],
    tables,
  };
}

async function measure(
  contender: Contender,
  book: Book,
  rate: number,
  leaving: "close" | "exit",
  quick: boolean,
): Promise<void> {
  await withService(contender, app, { ...env, ON_SHUTDOWN: leaving }, async (service, stage) => {
    const load = openLoad(stage, { rate });
    await load.ready;
    await delay(quick ? 500 : 1_500);
    load.phase("steady");
    await delay(quick ? 1_500 : 4_000);
    for (let count = 0; count < (quick ? 1 : 3); count += 1) {
      load.phase("deploy");
      book.add(contender.name, "deploy", await service.deploy());
      load.phase("between");
      await delay(1_000);
    }
    const { phases } = await load.stop();
    const { steady, deploy, between } = phases as Record<string, PhaseReport>;
    if (!steady || !deploy || !between) throw new Error("a phase is missing from the report");
    if (steady.ok === 0) throw new Error(`${contender.name}: not one request succeeded`);
    addFailures(book, contender.name, [deploy, between]);
    book.add(contender.name, "steady99", steady.latency.p99);
    book.add(contender.name, "deploy99", deploy.latency.p99);
    book.add(contender.name, "ratio", deploy.latency.p99 / steady.latency.p99);
  });
}
