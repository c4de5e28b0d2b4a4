/** Balance: how evenly 200 kept connections are spread over 8 workers. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Connection, close, exchange, open } from "../../test/support/connection.js";
import { program } from "../../test/support/naught.js";
import { servers } from "../contenders/cluster.js";
import { type Entrant, enter, rotate, withCompany } from "../contenders/company.js";
import { naught } from "../contenders/naught.js";
import type { Plan, Section } from "../report/section.js";
import { openBook } from "../report/table.js";
import type { Stage } from "../setting/stage.js";

const connections = 200;
const workers = 8;

const columns = [
  { key: "burst", label: "all at once", unit: "busiest ÷ mean" },
  { key: "paced", label: "one every 2 ms", unit: "busiest ÷ mean" },
];

export async function balance(plan: Plan): Promise<Section> {
  const book = openBook("balance", `${workers} workers, ${connections} kept connections`, columns);
  const app = { script: join(servers, "app.cjs"), workers };
  await withCompany(plan, listEntrants(plan), app, { WORK_US: "300" }, async (members) => {
    for (const round of plan.rounds(9, 60)) {
      plan.say(`balance, round ${round + 1}`);
      for (const { name, stage } of rotate(members, round)) {
        await plan.attempt(`balance, ${name}`, async () => {
          book.add(name, "burst", await measure(stage, 0));
          book.add(name, "paced", await measure(stage, 2));
        });
      }
    }
  });
  return {
    name: "balance",
    title: "Balance",
    notes: [
      `Each connection asks once and stays. Connections of the busiest worker against the mean; 1 is perfect, ${workers} means that one worker has them all.`,
      `"naught, slots" is the default from Node 22.12 on (here Node ${plan.peers.versions["node for slots"] ?? process.versions.node}); on older ones naught has one queue for all workers, as node:cluster without scheduling has.`,
    ],
    tables: [book.table],
  };
}

function listEntrants({ contenders, peers: { slotsNode } }: Plan): Entrant[] {
  const all = enter(contenders);
  if (slotsNode === undefined || !all.some((each) => each.name === "naught")) return all;
  const slots = { name: "naught, slots", contender: naught(program, slotsNode) };
  return slotsNode === process.execPath
    ? all.map((each) => (each.name === "naught" ? slots : each))
    : [slots, ...all];
}

async function measure(stage: Stage, paceMs: number): Promise<number> {
  const perWorker = new Map<number, number>();
  const opened: Connection[] = [];
  const ask = async (): Promise<void> => {
    const connection = await open(stage, 5_000);
    if ("failure" in connection) throw new Error(`balance: ${connection.failure}`);
    opened.push(connection);
    const response = await exchange(connection, stage, "/", { timeout: 5_000, last: false });
    if ("failure" in response) throw new Error(`balance: ${response.failure}`);
    const { pid } = JSON.parse(response.body) as { pid: number };
    perWorker.set(pid, (perWorker.get(pid) ?? 0) + 1);
  };
  const asked: Promise<void>[] = [];
  for (let count = 0; count < connections; count += 1) {
    asked.push(ask());
    if (paceMs > 0) await delay(paceMs);
  }
  await Promise.all(asked);
  for (const connection of opened) close(connection);
  await delay(100);
  return Math.max(...perWorker.values()) / (connections / workers);
}
