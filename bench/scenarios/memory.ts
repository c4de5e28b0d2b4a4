/** What supervision costs while nothing happens, and what deploys leave behind. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { bootBare } from "../contenders/bare.js";
import { servers } from "../contenders/cluster.js";
import { listDistinct, rotate, withService } from "../contenders/company.js";
import type { Contender, Service } from "../contenders/contender.js";
import type { Plan, Section } from "../report/section.js";
import { openBook, type Table } from "../report/table.js";
import { countDescriptors, readPrivateMb } from "../setting/proc.js";
import { openStage } from "../setting/stage.js";

const app = { script: join(servers, "app.cjs"), workers: 2 };
const floor = "2 bare processes";

export async function memory(plan: Plan): Promise<Section> {
  const restMs = plan.quick ? 1_000 : 3_000;
  return {
    name: "memory",
    title: "Memory and descriptors of the supervisors",
    notes: [
      `Private memory (smaps_rollup) of daemon and master together; of the primary alone for the cluster, of the daemon alone for pm2, which have no more. The floor are two idle \`node\` processes that listen on a unix socket. Read ${restMs / 1000} s after the start.`,
      "Growth: from after the 10th deploy (no load, 2 workers) to after the last, read after as much rest.",
    ],
    tables: [await measureIdle(plan, restMs), await measureGrowth(plan, restMs)],
  };
}

async function measureIdle(plan: Plan, restMs: number): Promise<Table> {
  const book = openBook("memory-idle", "Idle", [{ key: "idle", label: "private", unit: "MB", floor }]);
  for (const round of plan.rounds(3, 90)) {
    plan.say(`memory, idle, round ${round + 1}`);
    book.add(floor, "idle", await measureFloor(restMs));
    for (const contender of rotate(listDistinct(plan.contenders), round)) {
      await plan.attempt(`memory, idle, ${contender.name}`, () =>
        withService(contender, app, {}, async (service) => {
          await delay(restMs);
          book.add(contender.name, "idle", sum(service, readPrivateMb));
        }),
      );
    }
  }
  return book.table;
}

async function measureFloor(restMs: number): Promise<number> {
  const stage = openStage();
  try {
    const script = join(servers, "idle.cjs");
    const pids = [];
    for (const name of ["a", "b"]) {
      const { child } = await bootBare(stage, script, [stage.path(name)]);
      // Its parent's channel is no part of a bare process.
      child.disconnect();
      pids.push(child.pid ?? 0);
    }
    await delay(restMs);
    return pids.reduce((total, pid) => total + readPrivateMb(pid), 0);
  } finally {
    await stage.close();
  }
}

async function measureGrowth(plan: Plan, restMs: number): Promise<Table> {
  const book = openBook("memory-growth", "Deploys", [
    { key: "deploys", label: "deploys", unit: "" },
    { key: "growth", label: "growth", unit: "MB" },
    { key: "each", label: "per deploy", unit: "KB" },
    { key: "descriptors", label: "descriptors", unit: "" },
  ]);
  const grow = async (contender: Contender): Promise<void> => {
    const count = plan.quick ? 5 : contender.name === "pm2" ? 50 : 200;
    const { growth, descriptors } = await growOver(contender, count, restMs);
    book.say(contender.name, "deploys", String(count));
    book.add(contender.name, "growth", growth);
    book.add(contender.name, "each", (growth * 1024) / count);
    book.say(contender.name, "descriptors", `${descriptors > 0 ? "+" : ""}${descriptors}`);
  };
  plan.say("memory, deploys");
  // Side by side: it is not their speed that is measured.
  await Promise.all(
    listDistinct(plan.contenders).map((each) =>
      plan.attempt(`memory, deploys, ${each.name}`, () => grow(each)),
    ),
  );
  return book.table;
}

function growOver(
  contender: Contender,
  count: number,
  restMs: number,
): Promise<{ readonly growth: number; readonly descriptors: number }> {
  return withService(contender, app, {}, async (service) => {
    const deploy = async (times: number) => {
      for (let at = 0; at < times; at += 1) await service.deploy();
      await delay(restMs);
      return { mb: sum(service, readPrivateMb), descriptors: sum(service, countDescriptors) };
    };
    const before = await deploy(10);
    const after = await deploy(count);
    return { growth: after.mb - before.mb, descriptors: after.descriptors - before.descriptors };
  });
}

function sum(service: Service, read: (pid: number) => number): number {
  return service.supervisors.reduce((total, { pid }) => total + read(pid), 0);
}
