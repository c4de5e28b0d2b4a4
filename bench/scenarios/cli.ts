/** The command line: what a command costs, and what it adds to a server's own boot. */
import { join } from "node:path";
import { bootBare } from "../contenders/bare.js";
import { servers } from "../contenders/cluster.js";
import { enter, listDistinct, rotate, withCompany, withService } from "../contenders/company.js";
import type { Plan, Section } from "../report/section.js";
import { openBook, type Table } from "../report/table.js";
import { openStage } from "../setting/stage.js";

const script = join(servers, "app.cjs");

export async function cli(plan: Plan): Promise<Section> {
  return {
    name: "cli",
    title: "The command line",
    notes: [
      "Wall time from the moment a command is started to its end. `status` is `pm2 list` for pm2.",
      "Start and deploy: 2 workers that take 500 ms to boot, no connections; held against the time in which `node` alone boots one. The cluster is asked directly, without a command. pm2's start includes the start of its daemon, as naught's does.",
    ],
    tables: [await measureStatus(plan), await measureLifecycle(plan)],
  };
}

async function measureStatus(plan: Plan): Promise<Table> {
  const floor = "node -e 0";
  const book = openBook("cli-status", "status", [{ key: "wall", label: "status", unit: "ms", floor }]);
  await withCompany(
    plan,
    enter(listDistinct(plan.contenders)),
    { script, workers: 2 },
    {},
    async (members) => {
      const commands = [
        { name: floor, command: { file: process.execPath, args: ["-e", "0"] } },
        ...members.flatMap(({ name, service }) =>
          service.status ? [{ name, command: service.status }] : [],
        ),
      ];
      const stages = new Map(members.map(({ name, stage }) => [name, stage]));
      const own = openStage();
      try {
        // The first run of each only fills caches.
        for (const { name, command } of commands) await (stages.get(name) ?? own).run(command);
        for (const round of plan.rounds(plan.quick ? 9 : 41, 45)) {
          for (const { name, command } of rotate(commands, round)) {
            book.add(name, "wall", (await (stages.get(name) ?? own).run(command)).ms);
          }
        }
      } finally {
        await own.close();
      }
    },
  );
  return book.table;
}

async function measureLifecycle(plan: Plan): Promise<Table> {
  const floor = "its own boot";
  const book = openBook("cli-lifecycle", "start and deploy", [
    { key: "start", label: "start until ready", unit: "ms", floor },
    { key: "deploy", label: "deploy", unit: "ms", floor },
  ]);
  const env = { BOOT_MS: "500" };
  for (const round of plan.rounds(7, 110)) {
    plan.say(`cli, start and deploy, round ${round + 1}`);
    const own = openStage(env);
    const { ms } = await bootBare(own, script).finally(() => own.close());
    book.add(floor, "start", ms);
    book.add(floor, "deploy", ms);
    for (const contender of rotate(listDistinct(plan.contenders), round)) {
      await plan.attempt(`cli, ${contender.name}`, () =>
        withService(contender, { script, workers: 2 }, env, async (service) => {
          book.add(contender.name, "start", service.startMs);
          book.add(contender.name, "deploy", await service.deploy());
        }),
      );
    }
  }
  return book.table;
}
