/** The results as a page to be read. */
import { names } from "../contenders/contender.js";
import type { Machine } from "../setting/machine.js";
import { bearable } from "../setting/others.js";
import type { Section } from "./section.js";
import { type Cell, type Column, compare, readSamples, summarize, type Table } from "./table.js";
import type { Verdict } from "./targets.js";

export interface Results {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly quick: boolean;
  readonly sections: readonly Section[];
  /** The share of the processors that other work took just before each scenario. */
  readonly others: readonly number[];
  /** What could not be measured, and why. */
  readonly troubles: readonly string[];
  readonly verdicts: readonly Verdict[];
}

export function renderMarkdown(results: Results, charts: readonly string[]): string {
  const { machine } = results;
  const versions = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`);
  const parts = [
    "# Benchmarks",
    "Made by `npm run bench`; do not edit. Everything below was measured in one run, in turns, on the same machine over loopback. A figure is the median of its rounds, with the lowest and the highest behind it, and then how many times its floor it is.",
    `${machine.date} · ${machine.processors}, ${machine.memory}, ${machine.kernel} · Node ${machine.node} · naught ${machine.naught} · ${versions.join(" · ")} · ${describeOthers(results.others)}${results.quick ? " · **a quick run: too short for figures to be quoted**" : ""}`,
    contestants,
    ...charts.map((file) => `![${file.replace(/\.svg$/, "")}](charts/${file})`),
    ...(results.verdicts.length > 0 ? ["## Targets", renderVerdicts(results.verdicts)] : []),
    ...results.sections.map(renderSection),
    ...(results.troubles.length > 0
      ? ["## What went wrong", ...results.troubles.map((each) => `- ${each}`)]
      : []),
  ];
  return `${parts.join("\n\n")}\n`;
}

function describeOthers(others: readonly number[]): string {
  const most = Math.max(0, ...others);
  const share = `other work before each scenario: at most ${(most * 100).toFixed(0)} % of the processors`;
  return most > bearable ? `**${share}: too much for times to be quoted**` : share;
}

const contestants = [
  "- **naught**: this repository, with its default options.",
  "- **cluster**, **cluster-rr**: node:cluster alone, with a primary of some 30 lines (`bench/servers/primary.cjs`), under SCHED_NONE and round-robin. The floor.",
  "- **naught 1.x**: naught@1.6.0, mended in two places so that it runs at all on Node 20: `String()` around the process id that it writes to its pid file, and a listener for `error` on `process` in its daemon.",
  "- **pm2**: cluster mode, `--wait-ready`, a home of its own, otherwise as it comes.",
  "- **node**: the server alone.",
].join("\n");

export function renderVerdicts(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(
    ({ what, target, measured, met }) => `| ${what} | ${target} | ${measured} | ${met ? "yes" : "**no**"} |`,
  );
  return ["| what | target | measured | met |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function renderSection(section: Section): string {
  return [
    `## ${section.title}`,
    ...section.notes,
    ...section.tables.map((table) => `### ${table.title}\n\n${renderTable(table)}`),
  ].join("\n\n");
}

export function renderTable(table: Table): string {
  const head = ["", ...table.columns.map(({ label, unit }) => (unit ? `${label}, ${unit}` : label))];
  const rows = listRows(table).map(([name, cells]) => [
    name,
    ...table.columns.map((column) => renderCell(table, name, column, cells[column.key])),
  ]);
  return [head, head.map((_, index) => (index === 0 ? "---" : "---:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

/** The floors first, then the contenders in their usual order, whoever was through first. */
export function listRows(table: Table): [string, Table["rows"][string]][] {
  const order: readonly string[] = names;
  const rank = (name: string) => order.indexOf(name);
  return Object.entries(table.rows).sort(([a], [b]) => rank(a) - rank(b));
}

function renderCell(table: Table, row: string, column: Column, cell: Cell | undefined): string {
  if (cell === undefined) return "–";
  if ("text" in cell) return cell.text;
  const { median, min, max, count } = summarize(cell.samples);
  const spread = count > 1 ? ` (${formatNumber(min)}–${formatNumber(max)})` : "";
  if (column.floor === undefined || column.floor === row) return `${formatNumber(median)}${spread}`;
  const ratio = compare(cell.samples, readSamples(table, column.floor, column.key));
  return `${formatNumber(median)}${spread}${ratio === undefined ? "" : ` · ${ratio.toFixed(2)} ×`}`;
}

export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 10_000) return Math.round(value).toLocaleString("en");
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
