/** What was measured, as it is kept: one file for each scenario, so that one can be run again without the others. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../test/support/servers.js";
import { scenarioNames } from "./options.js";
import { drawCharts } from "./report/charts.js";
import { renderMarkdown } from "./report/markdown.js";
import type { Run } from "./report/run.js";

const folder = join(root, "bench");

export function keepRun(run: Run): void {
  mkdirSync(join(folder, "results"), { recursive: true });
  writeFileSync(fileOf(run.section.name), `${JSON.stringify(run, round, 1)}\n`);
}

/** Makes the page and the charts of all that is kept. */
export function publish(): void {
  const runs = scenarioNames.flatMap((name) => readRun(name) ?? []);
  const charts = drawCharts(runs.map(({ section }) => section));
  rmSync(join(folder, "charts"), { recursive: true, force: true });
  mkdirSync(join(folder, "charts"), { recursive: true });
  for (const [file, svg] of charts) writeFileSync(join(folder, "charts", file), svg);
  writeFileSync(join(folder, "RESULTS.md"), renderMarkdown(runs, [...charts.keys()]));
  showCharts([...charts.keys()]);
}

/** The README shows them between two marks. */
function showCharts(files: readonly string[]): void {
  const path = join(root, "README.md");
  const images = files.map(
    (file) => `![${file.replace(/\.svg$/, "").replaceAll("-", " ")}](bench/charts/${file})`,
  );
  const shown = [...images, "All figures, and how they were taken: [bench/RESULTS.md](bench/RESULTS.md)."];
  const marks = /(<!-- charts: [^\n]*-->\n)[\s\S]*(<!-- \/charts -->)/;
  const text = readFileSync(path, "utf8");
  writeFileSync(
    path,
    text.replace(marks, (_, begin, end) => `${begin}\n${shown.join("\n\n")}\n\n${end}`),
  );
}

function readRun(name: string): Run | undefined {
  const file = fileOf(name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Run) : undefined;
}

function fileOf(name: string): string {
  return join(folder, "results", `${name}.json`);
}

// Nobody needs the nanoseconds of what took seconds.
function round(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}
