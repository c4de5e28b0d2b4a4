/** kill -9 under load, of a worker, of the master, of the daemon: what the clients see. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { kill } from "../../test/support/processes.js";
import { openLoad } from "../client/open-load.js";
import type { PhaseReport } from "../client/open-words.js";
import { servers } from "../contenders/cluster.js";
import { listDistinct, rotate, withService } from "../contenders/company.js";
import type { Contender, Service } from "../contenders/contender.js";
import { addFailures, sayFailures } from "../report/failures.js";
import type { Plan, Section } from "../report/section.js";
import { type Book, openBook, type Table } from "../report/table.js";
import type { Stage } from "../setting/stage.js";

const columns = [
  { key: "kills", label: "kills", unit: "" },
  { key: "asked", label: "requests", unit: "" },
  { key: "failed", label: "failed", unit: "" },
  { key: "kinds", label: "how", unit: "" },
  { key: "silence", label: "longest silence", unit: "ms" },
];
const after = { key: "after", label: "served at the end", unit: "%" };

const env = { BOOT_MS: "500", WORK_US: "500", ON_SHUTDOWN: "close" };
const rate = 200;

export async function kills(plan: Plan): Promise<Section> {
  const tables: Table[] = [];
  for (const workers of plan.quick ? [1] : [1, 2]) tables.push(await killWorkers(plan, workers));
  for (const role of ["master", "daemon", "both"] as const) tables.push(await killSupervisors(plan, role));
  return {
    name: "kills",
    title: "kill -9 under load",
    notes: [
      `Workers that take 500 ms to boot. ${rate} requests/s, open loop, 80 % on 32 kept connections, 20 % on new ones; requests that were due from the first kill on. The silence is the longest time without any success. Served at the end: the share of requests that were due in the fifth second after a supervisor was killed.`,
      "What a killed worker had in hand is lost with it whoever supervises it. pm2 has one process that is daemon and master.",
    ],
    tables,
  };
}

async function killWorkers(plan: Plan, workers: number): Promise<Table> {
  const title = workers === 1 ? "The only worker" : `One of ${workers} workers`;
  const book = openBook(`kills-worker${workers}`, title, columns);
  const app = { script: join(servers, "app.cjs"), workers };
  const count = plan.quick ? 1 : 4;
  for (const contender of plan.contenders) {
    plan.say(`kills, one of ${workers} workers: ${contender.name}`);
    const killAll = async (service: Service, stage: Stage): Promise<void> => {
      const load = openLoad(stage, { rate });
      await load.ready;
      await delay(1_000);
      load.phase("kill");
      for (let at = 0; at < count; at += 1) {
        const [victim] = service.workers();
        if (victim !== undefined) kill(victim);
        await delay(1_500);
      }
      const { phases } = await load.stop();
      const phase = phases.kill as PhaseReport;
      addFailures(book, contender.name, [phase]);
      book.add(contender.name, "silence", phase.silenceMs);
    };
    await plan.attempt(`kills, worker, ${contender.name}`, () => withService(contender, app, env, killAll));
    book.say(contender.name, "kills", String(count));
    sayFailures(book, contender.name);
  }
  return book.table;
}

type Role = "master" | "daemon" | "both";

const titles: Readonly<Record<Role, string>> = {
  master: "The master (the cluster primary)",
  daemon: "The daemon",
  both: "Daemon and master at once",
};

/** Those that have no such process. */
const missing: Readonly<Record<Role, readonly string[]>> = {
  master: ["pm2"],
  daemon: ["cluster"],
  both: ["pm2", "cluster"],
};

async function killSupervisors(plan: Plan, role: Role): Promise<Table> {
  const book = openBook(`kills-${role}`, titles[role], [...columns, after]);
  const those = listDistinct(plan.contenders).filter(({ name }) => !missing[role].includes(name));
  const pick = ({ supervisors }: Service) =>
    supervisors.filter((each) => role === "both" || each.role === role).map(({ pid }) => pid);
  for (const round of plan.rounds(2, 50)) {
    for (const contender of rotate(those, round)) {
      plan.say(`kills, ${role}, round ${round + 1}: ${contender.name}`);
      await plan.attempt(`kills, ${role}, ${contender.name}`, () =>
        killOnce(contender, book, pick, plan.quick),
      );
      if (book.table.rows[contender.name]) book.say(contender.name, "kills", String(round + 1));
    }
  }
  for (const name of Object.keys(book.table.rows)) sayFailures(book, name);
  return book.table;
}

async function killOnce(
  contender: Contender,
  book: Book,
  pick: (service: Service) => readonly number[],
  quick: boolean,
): Promise<void> {
  const app = { script: join(servers, "app.cjs"), workers: 2 };
  await withService(contender, app, env, async (service, stage) => {
    const victims = pick(service);
    const load = openLoad(stage, { rate });
    await load.ready;
    await delay(1_000);
    load.phase("kill");
    for (const victim of victims) kill(victim);
    await delay(quick ? 2_000 : 4_000);
    load.phase("after");
    await delay(1_000);
    const { phases } = await load.stop();
    const { kill: killed, after: later } = phases as Record<string, PhaseReport>;
    if (!killed || !later) throw new Error("a phase is missing from the report");
    addFailures(book, contender.name, [killed, later]);
    book.add(contender.name, "silence", Math.max(killed.silenceMs, later.silenceMs));
    book.add(contender.name, "after", (later.ok / later.asked) * 100);
  });
}
