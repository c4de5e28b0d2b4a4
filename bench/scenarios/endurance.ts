/** Endurance: what hundreds of deploys and thousands of crashes leave behind in the supervisors. Only with `--full`. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { kill } from "../../test/support/processes.js";
import { servers } from "../contenders/cluster.js";
import { withService } from "../contenders/company.js";
import type { Contender, Service } from "../contenders/contender.js";
import type { Plan, Section } from "../report/section.js";
import { type Book, openBook } from "../report/table.js";
import { countDescriptors, readPrivateMb } from "../setting/proc.js";

const workers = 10;

export async function endurance(plan: Plan): Promise<Section> {
  const cycles = plan.quick ? 5 : 500;
  const book = openBook("endurance", `${cycles} deploys, ${cycles * workers} crashes`, [
    { key: "before", label: "after the first ten deploys", unit: "MB" },
    { key: "after", label: "at the end", unit: "MB" },
    { key: "growth", label: "growth", unit: "MB" },
    { key: "descriptors", label: "descriptors", unit: "" },
  ]);
  for (const contender of plan.contenders.filter(({ name }) => name === "naught" || name === "cluster")) {
    plan.say(`endurance, ${contender.name}`);
    await plan.attempt(
      `endurance, ${contender.name}`,
      () => withService(contender, app, {}, (service) => endure(plan, contender, service, book, cycles)),
      1_800,
    );
  }
  return {
    name: "endurance",
    title: "Endurance",
    notes: [
      `${workers} workers. In each round all of them are killed; when all are replaced, they are replaced once more by a deploy. Private memory of the supervisors together, after 10 s of rest.`,
    ],
    tables: [book.table],
  };
}

const app = { script: join(servers, "app.cjs"), workers };

async function endure(
  plan: Plan,
  { name }: Contender,
  service: Service,
  book: Book,
  cycles: number,
): Promise<void> {
  const sum = (read: (pid: number) => number) =>
    service.supervisors.reduce((total, { pid }) => total + read(pid), 0);
  const run = async (count: number) => {
    for (let cycle = 1; cycle <= count; cycle += 1) {
      await crashAll(service);
      await service.deploy();
      if (cycle % 100 === 0) plan.say(`endurance, ${name}, round ${cycle}`);
    }
    await delay(plan.quick ? 1_000 : 10_000);
    return { mb: sum(readPrivateMb), descriptors: sum(countDescriptors) };
  };
  const before = await run(10);
  const after = await run(cycles);
  book.add(name, "before", before.mb);
  book.add(name, "after", after.mb);
  book.add(name, "growth", after.mb - before.mb);
  book.say(name, "descriptors", String(after.descriptors - before.descriptors));
}

async function crashAll(service: Service): Promise<void> {
  const victims = service.workers();
  for (const pid of victims) kill(pid);
  const deadline = performance.now() + 30_000;
  // Until they have booted: a deploy that finds a slot empty would have to wait for it.
  while (performance.now() < deadline) {
    await delay(20);
    const now = service.workers();
    if (now.length === victims.length && !now.some((pid) => victims.includes(pid)))
      return void (await delay(200));
  }
  throw new Error("the workers were not replaced");
}
