/** Scale: start, deploy, status and memory of a supervisor with 1 to 64 workers. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { servers } from "../contenders/cluster.js";
import { rotate, withService } from "../contenders/company.js";
import type { Contender } from "../contenders/contender.js";
import type { Plan, Section } from "../report/section.js";
import { type Book, openBook } from "../report/table.js";
import { readPrivateMb } from "../setting/proc.js";

const columns = [
  { key: "start", label: "start", unit: "ms", floor: "cluster" },
  { key: "deploy", label: "deploy", unit: "ms", floor: "cluster" },
  { key: "status", label: "status", unit: "ms" },
  { key: "memory", label: "supervisors", unit: "MB" },
];

export async function scale(plan: Plan): Promise<Section> {
  const tables = [];
  for (const workers of plan.quick ? [1, 8] : [1, 8, 32, 64]) {
    const book = openBook(`scale-${workers}`, `${workers} worker${workers === 1 ? "" : "s"}`, columns);
    for (const round of plan.rounds(workers === 32 ? 1 : workers === 64 ? 2 : 3, 90)) {
      plan.say(`scale, ${workers} workers, round ${round + 1}`);
      const those = plan.contenders.filter(
        (each) => each.name !== "cluster-rr" && takesPart(each, workers, round),
      );
      for (const contender of rotate(those, round)) {
        await plan.attempt(`scale, ${workers} workers, ${contender.name}`, () =>
          measure(contender, book, workers),
        );
      }
    }
    tables.push(book.table);
  }
  return {
    name: "scale",
    title: "Scale",
    notes: [
      "Workers that boot at once, no connections. Memory is private, of daemon and master together, before the deploy.",
    ],
    tables,
  };
}

/** pm2 takes so long with many workers that one round has to do. */
function takesPart(contender: Contender, workers: number, round: number): boolean {
  return contender.name !== "pm2" || workers <= 8 || round === 0;
}

async function measure(contender: Contender, book: Book, workers: number): Promise<void> {
  await withService(contender, { script: join(servers, "app.cjs"), workers }, {}, async (service, stage) => {
    book.add(contender.name, "start", service.startMs);
    await delay(1_000);
    const mb = service.supervisors.reduce((sum, { pid }) => sum + readPrivateMb(pid), 0);
    book.add(contender.name, "memory", mb);
    for (let count = 0; service.status && count < 3; count += 1) {
      book.add(contender.name, "status", (await stage.run(service.status)).ms);
    }
    book.add(contender.name, "deploy", await service.deploy());
  });
}
