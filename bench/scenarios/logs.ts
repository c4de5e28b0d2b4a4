/** Logs: how fast what the workers print reaches the disk, what it costs, and whether all of it does. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { servers } from "../contenders/cluster.js";
import { rotate } from "../contenders/company.js";
import type { Contender, Service } from "../contenders/contender.js";
import { pm2WithLogrotate } from "../contenders/pm2.js";
import type { Plan, Section } from "../report/section.js";
import { type Book, openBook, type Table } from "../report/table.js";
import { readCpuSeconds, readPeakMb } from "../setting/proc.js";
import { openStage, type Stage } from "../setting/stage.js";
import { openLogOnDisk } from "./logs-disk.js";
import { startShell } from "./logs-shell.js";

const megabyte = 1024 * 1024;
const lineSize = 100;
/** So many lines the server writes at once, where it does not write them one by one. */
const linesAtOnce = 160;
const floor = "node app > file";

export interface Started {
  /** Who brings what the workers print to the disk. */
  readonly writers: readonly number[];
  /** Those of whom the memory counts. */
  readonly supervisors: readonly number[];
}

interface Pen {
  readonly name: string;
  /** Milliseconds without a change after which it has put aside what it wants to. */
  readonly quiet?: number;
  start(stage: Stage, workers: number): Promise<Started>;
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
    tables.push(await write(plan, { key: `logs-${workers}`, workers, pens, lines: linesAtOnce }));
    tables.push(await write(plan, { key: `logs-${workers}-single`, workers, pens, lines: 1 }));
    const rotating = supervised.flatMap((each) => {
      if (each.name !== "pm2") return [toPen(each, 10 * megabyte)];
      const { pm2, logrotate } = plan.peers;
      if (pm2 === undefined || logrotate === undefined) return [];
      return [
        { ...toPen(pm2WithLogrotate(pm2, logrotate), 10 * megabyte, "pm2, pm2-logrotate"), quiet: 2_500 },
      ];
    });
    tables.push(
      await write(plan, {
        key: `logs-${workers}-rotated`,
        workers,
        pens: [...shells.slice(0, 1), ...rotating],
        lines: linesAtOnce,
        rotated: true,
      }),
    );
  }
  return {
    name: "logs",
    title: "Logs",
    notes: [
      "Each worker prints lines of 100 bytes as fast as they are taken, 160 at once or, line by line, as `console.log` does. MB/s until all of it is on the disk; CPU is what the supervisors, or each `cat`, take for each MB, until every archive is compressed; peak is the most that daemon and master together ever had resident. All is read back: lost is what is missing.",
      "Rotated: a new file every 10 MB, and the old ones compressed: by naught with `gzip`, whose processor time is counted, and its 2 MB of memory are not; by pm2 with pm2-logrotate, which looks every second (it cannot more often), copies the file and then empties it.",
    ],
    tables,
  };
}

function toPen(contender: Contender, maxLogSize: number, name: string = contender.name): Pen {
  return {
    name,
    start: async (stage, workers) => {
      const app = { script: join(servers, "writer.cjs"), workers, stdout: stage.path("out.log"), maxLogSize };
      const service: Service = await contender.start(stage, app);
      const supervisors = service.supervisors.map(({ pid }) => pid);
      return { writers: supervisors, supervisors };
    },
  };
}

interface Flood {
  readonly key: string;
  readonly workers: number;
  readonly pens: readonly Pen[];
  /** How many are written at once. */
  readonly lines: number;
  readonly rotated?: boolean;
}

async function write(plan: Plan, flood: Flood): Promise<Table> {
  const { key, workers, pens, lines, rotated } = flood;
  const who = workers === 1 ? "1 worker" : `${workers} workers`;
  const how = rotated ? "rotated at 10 MB" : "one file";
  const book = openBook(key, lines === 1 ? `${who}, line by line, ${how}` : `${who}, ${how}`, [
    { key: "speed", label: "until on disk", unit: "MB/s", floor },
    { key: "cpu", label: "CPU", unit: "ms/MB" },
    { key: "peak", label: "peak memory", unit: "MB" },
    { key: "lost", label: "lost", unit: "" },
  ]);
  const total = plan.quick ? 32 : lines === 1 ? 128 : 256;
  for (const round of plan.rounds(3, 55)) {
    plan.say(`${key}, round ${round + 1}`);
    for (const pen of rotate(pens, round)) {
      await plan.attempt(`${key}, ${pen.name}`, () => writeOnce(pen, book, flood, total));
    }
  }
  return book.table;
}

async function writeOnce(pen: Pen, book: Book, { workers, lines }: Flood, total: number): Promise<void> {
  const blockSize = lines * lineSize;
  const blocks = Math.ceil((total * megabyte) / workers / blockSize);
  const stage = openStage((dir) => ({ GO: join(dir, "go"), BLOCKS: String(blocks), LINES: String(lines) }));
  try {
    const { writers, supervisors } = await pen.start(stage, workers);
    await delay(200);
    const readCpu = () => writers.reduce((sum, pid) => sum + readCpuSeconds(pid, "withChildren"), 0);
    const before = readCpu();
    const expected = workers * (blocks * blockSize + "END\n".length);
    const began = performance.now();
    writeFileSync(stage.path("go"), "");
    const log = openLogOnDisk(stage.dir, "out");
    let onDisk = 0;
    // What is lost would be waited for in vain.
    for (let last = { bytes: -1, at: began }; onDisk < expected; ) {
      await delay(5);
      onDisk = log.measure();
      if (onDisk !== last.bytes) last = { bytes: onDisk, at: performance.now() };
      else if (performance.now() - last.at > 5_000) break;
    }
    const seconds = (performance.now() - began) / 1000;
    if (onDisk >= expected) book.add(pen.name, "speed", total / seconds);
    const bytes = await log.readBack(pen.quiet ?? 0);
    if (writers.length > 0) book.add(pen.name, "cpu", ((readCpu() - before) * 1000) / total);
    if (supervisors.length > 0) {
      book.add(
        pen.name,
        "peak",
        supervisors.reduce((sum, pid) => sum + readPeakMb(pid), 0),
      );
    }
    book.say(pen.name, "lost", describeLoss(expected - bytes));
  } finally {
    await stage.close();
  }
}

function describeLoss(bytes: number): string {
  if (bytes === 0) return "0";
  return bytes > 0 ? `${bytes} bytes` : `none, but ${-bytes} bytes are there twice`;
}
