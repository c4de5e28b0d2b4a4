/** Logs: how fast what the workers print reaches the disk, what it costs, and whether all of it does. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { servers } from "../contenders/cluster.js";
import { rotate } from "../contenders/company.js";
import type { Contender, Service } from "../contenders/contender.js";
import type { Plan, Section } from "../report/section.js";
import { type Book, openBook, type Table } from "../report/table.js";
import { readCpuSeconds, readPeakMb } from "../setting/proc.js";
import { openStage, type Stage } from "../setting/stage.js";
import { measureDisk, readBack } from "./logs-disk.js";
import { startShell } from "./logs-shell.js";

const megabyte = 1024 * 1024;
/** What the server writes at once: 128 lines of 120 bytes. */
const blockSize = 128 * 120;
const floor = "node app > file";

interface Pen {
  readonly name: string;
  start(
    stage: Stage,
    workers: number,
  ): Promise<{ readonly pids: readonly number[]; readonly supervisors: readonly number[] }>;
}

export async function logs(plan: Plan): Promise<Section> {
  const tables: Table[] = [];
  const shells: Pen[] = [
    { name: floor, start: (stage, workers) => startShell(stage, workers, "file") },
    { name: "node app piped to cat", start: (stage, workers) => startShell(stage, workers, "cat") },
  ];
  // The way of the bare cluster's output is the shell's.
  const supervised = plan.contenders.filter((each) => !each.name.startsWith("cluster"));
  for (const workers of [1, 4]) {
    const pens = [...shells, ...supervised.map((each) => toPen(each, 2 ** 40))];
    tables.push(await write(plan, `logs-${workers}`, workers, pens, false));
    const rotating = supervised
      .filter((each) => each.name !== "pm2")
      .map((each) => toPen(each, 10 * megabyte));
    tables.push(
      await write(plan, `logs-${workers}-rotated`, workers, [...shells.slice(0, 1), ...rotating], true),
    );
  }
  return {
    name: "logs",
    title: "Logs",
    notes: [
      "Each worker prints lines of 120 bytes as fast as they are taken. MB/s until all of it is on the disk; CPU of workers and supervisors for each MB; peak is the most that daemon and master together ever had resident. Archives are read back: lost is what is missing.",
      "Rotated: a new file every 10 MB; naught, old and new, compresses the old ones, which takes processor time that is counted. pm2 itself does not rotate.",
    ],
    tables,
  };
}

function toPen(contender: Contender, maxLogSize: number): Pen {
  return {
    name: contender.name,
    start: async (stage, workers) => {
      const app = { script: join(servers, "writer.cjs"), workers, stdout: stage.path("out.log"), maxLogSize };
      const service: Service = await contender.start(stage, app);
      const supervisors = service.supervisors.map(({ pid }) => pid);
      return { pids: [...supervisors, ...service.workers()], supervisors };
    },
  };
}

async function write(plan: Plan, key: string, workers: number, pens: readonly Pen[], rotated: boolean) {
  const who = workers === 1 ? "1 worker" : `${workers} workers`;
  const book = openBook(key, `${who}, ${rotated ? "rotated at 10 MB" : "one file"}`, [
    { key: "speed", label: "until on disk", unit: "MB/s", floor },
    { key: "cpu", label: "CPU", unit: "ms/MB", floor },
    { key: "peak", label: "peak memory", unit: "MB" },
    { key: "lost", label: "lost", unit: "" },
  ]);
  for (const round of plan.rounds(3, 55)) {
    plan.say(`${key}, round ${round + 1}`);
    for (const pen of rotate(pens, round)) {
      await plan.attempt(`${key}, ${pen.name}`, () => writeOnce(pen, book, workers, plan.quick ? 32 : 256));
    }
  }
  return book.table;
}

async function writeOnce(pen: Pen, book: Book, workers: number, total: number): Promise<void> {
  const blocks = Math.ceil((total * megabyte) / workers / blockSize);
  const stage = openStage((dir) => ({ GO: join(dir, "go"), BLOCKS: String(blocks) }));
  try {
    const { pids, supervisors } = await pen.start(stage, workers);
    await delay(200);
    const readCpu = () => pids.reduce((sum, pid) => sum + readCpuSeconds(pid, "withChildren"), 0);
    const before = readCpu();
    const expected = workers * (blocks * blockSize + "END\n".length);
    const began = performance.now();
    writeFileSync(stage.path("go"), "");
    let onDisk = 0;
    // What is lost would be waited for in vain.
    for (let last = { bytes: -1, at: began }; onDisk < expected; ) {
      await delay(5);
      onDisk = measureDisk(stage.dir, "out");
      if (onDisk !== last.bytes) last = { bytes: onDisk, at: performance.now() };
      else if (performance.now() - last.at > 5_000) break;
    }
    const seconds = (performance.now() - began) / 1000;
    const cpu = readCpu() - before;
    if (onDisk >= expected) book.add(pen.name, "speed", total / seconds);
    book.add(pen.name, "cpu", (cpu * 1000) / total);
    if (supervisors.length > 0) {
      book.add(
        pen.name,
        "peak",
        supervisors.reduce((sum, pid) => sum + readPeakMb(pid), 0),
      );
    }
    const bytes = await readBack(stage.dir, "out");
    book.say(pen.name, "lost", bytes === expected ? "0" : `${expected - bytes} bytes`);
  } finally {
    await stage.close();
  }
}
