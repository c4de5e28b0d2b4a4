/** The results as a page to be read. */
import { names } from "../contenders/contender.js";
import { bearable } from "../setting/others.js";
import type { Run } from "./run.js";
import { type Cell, type Column, compare, readSamples, summarize, type Table } from "./table.js";
import { judgeTargets, type Verdict } from "./targets.js";

export function renderMarkdown(runs: readonly Run[], charts: readonly string[]): string {
  const verdicts = judgeTargets(runs.map(({ section }) => section));
  const parts = [
    "# Benchmarks",
    "Made by `npm run bench` of what is kept in `bench/results/`; do not edit. All that is in one table was measured in one run, in turns, on one machine over loopback. A figure is the median of its rounds, with the lowest and the highest behind it, and then how many times its floor it is.",
    contestants,
    ...charts.map((file) => `![${file.replace(/\.svg$/, "")}](charts/${file})`),
    ...(verdicts.length > 0 ? ["## Targets", renderVerdicts(verdicts)] : []),
    ...runs.map(renderRun),
  ];
  return `${parts.join("\n\n")}\n`;
}

function renderRun(run: Run): string {
  const { section, troubles } = run;
  return [
    `## ${section.title}`,
    ...section.notes,
    describeRun(run),
    ...section.tables.map((table) => `### ${table.title}\n\n${renderTable(table)}`),
    ...(troubles.length > 0 ? [`What went wrong:\n\n${troubles.map((each) => `- ${each}`).join("\n")}`] : []),
  ].join("\n\n");
}

function describeRun({ machine, versions, quick, seconds, others }: Run): string {
  const peers = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const facts = [
    machine.date,
    `${machine.processors}, ${machine.memory}, ${machine.kernel}`,
    `Node ${machine.node}`,
    `naught ${machine.naught}`,
    ...peers,
    `${seconds} s`,
    describeOthers(others),
    ...(quick ? ["**a quick run: too short for figures to be quoted**"] : []),
  ];
  return `<sub>${facts.join(" · ")}</sub>`;
}

function describeOthers(others: Run["others"]): string {
  const [before, after] = others.map((share) => `${(share * 100).toFixed(0)} %`);
  const share = `other work took ${before} of the processors before and ${after} after`;
  return Math.max(...others) > bearable ? `**${share}: too much for times to be quoted**` : share;
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
