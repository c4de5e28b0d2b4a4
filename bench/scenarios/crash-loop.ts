/** A server that crashes as it boots, again and again: what its supervisor makes of it, and whether it ever comes back. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { close, exchange, open } from "../../test/support/connection.js";
import { kill } from "../../test/support/processes.js";
import { servers } from "../contenders/cluster.js";
import { listDistinct } from "../contenders/company.js";
import type { Contender, Service } from "../contenders/contender.js";
import type { Plan, Section } from "../report/section.js";
import { type Book, openBook } from "../report/table.js";
import { readCpuSeconds } from "../setting/proc.js";
import { openStage, type Stage } from "../setting/stage.js";

export async function crashLoop(plan: Plan): Promise<Section> {
  const seconds = plan.quick ? 15 : 30;
  const patience = plan.quick ? 0 : 65;
  const book = openBook("crash-loop", `${seconds} s of crashes`, [
    { key: "forks", label: "forks", unit: "" },
    { key: "cpu", label: "CPU of supervisors and workers", unit: "s" },
    ...(patience > 0 ? [{ key: "back", label: "serves again once it is mended", unit: "" }] : []),
  ]);
  plan.say("crash loop");
  // Side by side: their processor time is counted for each, and only two of them spin.
  const those = listDistinct(plan.contenders);
  await Promise.all(
    those.map((contender) =>
      plan.attempt(
        `crash loop, ${contender.name}`,
        () => crash(contender, book, seconds, patience),
        seconds + patience + 60,
      ),
    ),
  );
  return {
    name: "crash-loop",
    title: "Crash loop",
    notes: [
      "1 worker, which is killed; each of its replacements exits with code 1 as it boots. Then the server is mended: when does it answer again, without anybody's help?",
    ],
    tables: [book.table],
  };
}

async function crash(contender: Contender, book: Book, seconds: number, patience: number): Promise<void> {
  const stage = openStage((dir) => ({ BOOT_FILE: join(dir, "boots"), CRASH_FILE: join(dir, "crash") }));
  try {
    const files = { boot: stage.path("boots"), crash: stage.path("crash") };
    const service = await contender.start(stage, { script: join(servers, "app.cjs"), workers: 1 });
    const countBoots = () => readFileSync(files.boot, "utf8").length;
    const before = { boots: countBoots(), cpu: readCpu(service) };
    writeFileSync(files.crash, "");
    for (const worker of service.workers()) kill(worker);
    await delay(seconds * 1000);
    book.add(contender.name, "forks", countBoots() - before.boots);
    book.add(contender.name, "cpu", readCpu(service) - before.cpu);
    rmSync(files.crash);
    if (patience > 0) book.say(contender.name, "back", await awaitAnswer(stage, patience));
  } finally {
    await stage.close();
  }
}

/** The workers have ended and been waited for, so they count with their parents. */
function readCpu(service: Service): number {
  return service.supervisors.reduce((sum, { pid }) => sum + readCpuSeconds(pid, "withChildren"), 0);
}

async function awaitAnswer(stage: Stage, patience: number): Promise<string> {
  const began = performance.now();
  while (performance.now() - began < patience * 1000) {
    const connection = await open(stage, 1_000);
    if (!("failure" in connection)) {
      const response = await exchange(connection, stage, "/", { timeout: 1_000, last: true });
      close(connection);
      if ("status" in response) return `after ${Math.ceil((performance.now() - began) / 1000)} s`;
    }
    await delay(200);
  }
  return `not within ${patience} s`;
}
