/** Steady load: how many requests a second each takes at the most, and what one of them costs. */
import { join } from "node:path";
import { flood } from "../client/flood.js";
import { bare } from "../contenders/bare.js";
import { servers } from "../contenders/cluster.js";
import { enter, type Member, rotate, withCompany } from "../contenders/company.js";
import type { Plan, Section } from "../report/section.js";
import { type Book, openBook } from "../report/table.js";
import { readCpuSeconds } from "../setting/proc.js";

const columns = [
  { key: "kept", label: "keep-alive", unit: "requests/s", floor: "cluster" },
  { key: "keptCpu", label: "CPU of one", unit: "µs", floor: "cluster" },
  { key: "fresh", label: "new connections", unit: "requests/s", floor: "cluster" },
  { key: "freshCpu", label: "CPU of one", unit: "µs", floor: "cluster" },
];

export async function steady(plan: Plan): Promise<Section> {
  const tables = [];
  for (const workers of [1, 2]) {
    const book = openBook(`steady${workers}`, `${workers} worker${workers > 1 ? "s" : ""}`, columns);
    const app = { script: join(servers, "app.cjs"), workers };
    const entrants = enter(workers === 1 ? [bare, ...plan.contenders] : plan.contenders);
    await withCompany(plan, entrants, app, {}, async (members) => {
      for (const round of plan.rounds(5, 80)) {
        plan.say(`steady, ${workers} workers, round ${round + 1}`);
        for (const member of rotate(members, round)) {
          await plan.attempt(`steady, ${member.name}`, async () => {
            await measure(member, book, false, plan.quick);
            await measure(member, book, true, plan.quick);
          });
        }
      }
    });
    tables.push(book.table);
  }
  return {
    name: "steady",
    title: "Steady load",
    notes: [
      "32 clients in a process of their own ask for 6 bytes as fast as they are answered (closed loop), on connections that they keep or on a new one for each request. The clients share the processors with the servers.",
      "CPU is the processor time of workers and supervisors together, for each request: it does not depend on what the clients take.",
    ],
    tables,
  };
}

async function measure(member: Member, book: Book, fresh: boolean, quick: boolean): Promise<void> {
  const { service, stage } = member;
  const pids = [...service.supervisors.map((each) => each.pid), ...service.workers()];
  const readCpu = () => pids.reduce((sum, pid) => sum + readCpuSeconds(pid, "own"), 0);
  let before = 0;
  const order = { host: stage.host, port: stage.port, connections: 32, fresh, warmMs: 300 };
  const report = await flood({ ...order, ms: quick ? 700 : 1_200 }, () => {
    before = readCpu();
  });
  const cpu = readCpu() - before;
  const key = fresh ? "fresh" : "kept";
  if (report.failed > 0) book.say(member.name, `${key}Failed`, `${report.failed} failed`);
  book.add(member.name, key, report.ok / report.seconds);
  book.add(member.name, `${key}Cpu`, (cpu / report.ok) * 1e6);
}
