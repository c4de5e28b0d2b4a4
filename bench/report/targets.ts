/** What naught set out to reach, held against what was measured. */
import type { Section } from "./section.js";
import { compare, readSamples, summarize, type Table } from "./table.js";

export interface Verdict {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly met: boolean;
}

type Read = (tables: ReadonlyMap<string, Table>) => number | undefined;

interface Target {
  readonly what: string;
  readonly bound: { readonly most: number } | { readonly least: number };
  readonly unit: string;
  readonly read: Read;
}

/** The scenarios of a run may be fewer: what was not measured has no verdict. */
export function judgeTargets(sections: readonly Section[]): Verdict[] {
  const tables = new Map(sections.flatMap((each) => each.tables).map((table) => [table.key, table]));
  return targets.flatMap(({ what, bound, unit, read }) => {
    const value = read(tables);
    if (value === undefined || Number.isNaN(value)) return [];
    const met = "most" in bound ? value <= bound.most : value >= bound.least;
    const target = "most" in bound ? `≤ ${bound.most}${unit}` : `≥ ${bound.least}${unit}`;
    return [{ what, target, measured: `${round(value)}${unit}`, met }];
  });
}

const times =
  (table: string, column: string, floor: string): Read =>
  (tables) =>
    compare(readSamples(tables.get(table), "naught", column), readSamples(tables.get(table), floor, column));

const median =
  (table: string, column: string, row = "naught"): Read =>
  (tables) => {
    const samples = readSamples(tables.get(table), row, column);
    return samples.length === 0 ? undefined : summarize(samples).median;
  };

/** Only where there were as many deploys as the target is about. */
const grown =
  (read: Read): Read =>
  (tables) =>
    counted("memory-growth", "deploys")(tables) === 200 ? read(tables) : undefined;

const counted =
  (table: string, column: string): Read =>
  (tables) => {
    const cell = tables.get(table)?.rows.naught?.[column];
    return cell !== undefined && "text" in cell ? Number(cell.text) : undefined;
  };

/** What the supervisors grow by for each worker more. */
const memoryPerWorker: Read = (tables) => {
  const at = (workers: number) => median(`scale-${workers}`, "memory")(tables);
  const [one, many] = [at(1), at(64)];
  return one === undefined || many === undefined ? undefined : (many - one) / 63;
};

const statusAtScale: Read = (tables) => {
  const [one, many] = [median("scale-1", "status")(tables), median("scale-64", "status")(tables)];
  return one === undefined || many === undefined ? undefined : many / one;
};

const logTables = ["logs-1", "logs-1-single", "logs-1-rotated", "logs-4", "logs-4-single", "logs-4-rotated"];

/** The most that daemon and master together ever had, whatever they wrote. */
const mostMemoryOfLogs: Read = (tables) => {
  const samples = logTables.flatMap((key) => readSamples(tables.get(key), "naught", "peak"));
  return samples.length === 0 ? undefined : Math.max(...samples);
};

/** Against the quickest of those that rotate and lose nothing. */
const againstPeers =
  (table: string): Read =>
  (tables) => {
    const speeds = Object.keys(tables.get(table)?.rows ?? {})
      .filter((row) => row !== "naught" && !row.startsWith("node "))
      .flatMap((row) => median(table, "speed", row)(tables) ?? []);
    const own = median(table, "speed")(tables);
    return own === undefined || speeds.length === 0 ? undefined : own / Math.max(...speeds);
  };

const targets: readonly Target[] = [
  {
    what: "`status` against `node -e 0`",
    bound: { most: 1.7 },
    unit: " ×",
    read: times("cli-status", "wall", "node -e 0"),
  },
  {
    what: "`start` until ready against the app's own boot",
    bound: { most: 1.3 },
    unit: " ×",
    read: times("cli-lifecycle", "start", "its own boot"),
  },
  {
    what: "`deploy` against the app's own boot",
    bound: { most: 1.15 },
    unit: " ×",
    read: times("cli-lifecycle", "deploy", "its own boot"),
  },
  {
    what: "requests/s, keep-alive, 2 workers, against cluster SCHED_NONE",
    bound: { least: 0.97 },
    unit: " ×",
    read: times("steady2", "kept", "cluster"),
  },
  {
    what: "connections/s, 2 workers, against cluster SCHED_NONE",
    bound: { least: 0.95 },
    unit: " ×",
    read: times("steady2", "fresh", "cluster"),
  },
  {
    what: "requests/s, keep-alive, 1 worker",
    bound: { least: 0.97 },
    unit: " ×",
    read: times("steady1", "kept", "cluster"),
  },
  {
    what: "connections/s, 1 worker",
    bound: { least: 0.95 },
    unit: " ×",
    read: times("steady1", "fresh", "cluster"),
  },
  {
    what: "failed requests during deploys, an app that closes itself",
    bound: { most: 0 },
    unit: "",
    read: counted("deploys-close", "failed"),
  },
  {
    what: "failed requests during deploys, an app that exits at once",
    bound: { most: 0 },
    unit: "",
    read: counted("deploys-exit", "failed"),
  },
  {
    what: "p99 during deploys against p99 steady",
    bound: { most: 2 },
    unit: " ×",
    read: median("deploys-close", "ratio"),
  },
  {
    what: "failed requests when the master is killed",
    bound: { most: 0 },
    unit: "",
    read: counted("kills-master", "failed"),
  },
  {
    what: "failed requests when the daemon is killed",
    bound: { most: 0 },
    unit: "",
    read: counted("kills-daemon", "failed"),
  },
  {
    what: "failed requests when daemon and master are killed at once",
    bound: { most: 0 },
    unit: "",
    read: counted("kills-both", "failed"),
  },
  {
    what: "balance with `slots`, busiest ÷ mean, all at once",
    bound: { most: 1.5 },
    unit: "",
    read: median("balance", "burst", "naught, slots"),
  },
  {
    what: "balance with `slots`, busiest ÷ mean, paced",
    bound: { most: 1.5 },
    unit: "",
    read: median("balance", "paced", "naught, slots"),
  },
  {
    what: "daemon + master, idle, private, against two bare processes",
    bound: { most: 1.25 },
    unit: " ×",
    read: times("memory-idle", "idle", "2 bare processes"),
  },
  {
    what: "growth over 200 deploys",
    bound: { most: 4 },
    unit: " MB",
    read: grown(median("memory-growth", "growth")),
  },
  {
    what: "descriptors more after 200 deploys",
    bound: { most: 0 },
    unit: "",
    read: grown(counted("memory-growth", "descriptors")),
  },
  {
    what: "MB/s of logs, 1 worker, against a pipe to `cat`",
    bound: { least: 0.8 },
    unit: " ×",
    read: times("logs-1", "speed", "node app piped to cat"),
  },
  {
    what: "MB/s of logs, 1 worker, line by line, against a pipe to `cat`",
    bound: { least: 0.8 },
    unit: " ×",
    read: times("logs-1-single", "speed", "node app piped to cat"),
  },
  {
    what: "MB/s of logs, 4 workers, against a pipe to `cat` for each",
    bound: { least: 0.8 },
    unit: " ×",
    read: times("logs-4", "speed", "node app piped to cat"),
  },
  {
    what: "MB/s of logs, 4 workers, line by line, against a pipe to `cat` for each",
    bound: { least: 0.8 },
    unit: " ×",
    read: times("logs-4-single", "speed", "node app piped to cat"),
  },
  {
    what: "MB/s of logs, 1 worker, rotated, against the quickest peer",
    bound: { least: 1 },
    unit: " ×",
    read: againstPeers("logs-1-rotated"),
  },
  {
    what: "MB/s of logs, 4 workers, rotated, against the quickest peer",
    bound: { least: 1 },
    unit: " ×",
    read: againstPeers("logs-4-rotated"),
  },
  {
    what: "memory of daemon and master while they write logs",
    bound: { most: 100 },
    unit: " MB",
    read: mostMemoryOfLogs,
  },
  {
    what: "64 workers: start against cluster",
    bound: { most: 1.2 },
    unit: " ×",
    read: times("scale-64", "start", "cluster"),
  },
  {
    what: "64 workers: deploy against cluster",
    bound: { most: 1.2 },
    unit: " ×",
    read: times("scale-64", "deploy", "cluster"),
  },
  {
    what: "memory of the supervisors for each worker more",
    bound: { most: 0.25 },
    unit: " MB",
    read: memoryPerWorker,
  },
  { what: "`status` with 64 workers against 1", bound: { most: 1.5 }, unit: " ×", read: statusAtScale },
  {
    what: "round trip of a status against an echo",
    bound: { most: 2 },
    unit: " ×",
    read: times("protocol-status", "trip", "newline JSON echo"),
  },
  {
    what: "notifications through the whole chain",
    bound: { least: 20_000 },
    unit: "/s",
    read: median("protocol-chain", "rate"),
  },
];

function round(value: number): string {
  return Number.isInteger(value)
    ? String(value)
    : Math.abs(value) >= 100
      ? value.toFixed(0)
      : value.toFixed(2);
}
