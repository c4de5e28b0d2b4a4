/** Which of the figures become charts. */

import { formatNumber, listRows } from "./markdown.js";
import type { Section } from "./section.js";
import { type Bar, drawChart } from "./svg.js";
import { compare, summarize, type Table } from "./table.js";

interface Choice {
  readonly file: string;
  readonly table: string;
  readonly column: string;
  readonly title: string;
  readonly subtitle: string;
}

const choices: readonly Choice[] = [
  {
    file: "deploy-failures.svg",
    table: "deploys-exit",
    column: "failed",
    title: "Failed requests during deploys under load",
    subtitle: "a server that exits at once when it is told to leave; fewer is better",
  },
  {
    file: "connections.svg",
    table: "steady2",
    column: "fresh",
    title: "Requests per second, each on a new connection",
    subtitle: "2 workers; more is better",
  },
  {
    file: "deploy-time.svg",
    table: "cli-lifecycle",
    column: "deploy",
    title: "Time of a deploy in milliseconds",
    subtitle: "2 workers that take 500 ms to boot; shorter is better",
  },
  {
    file: "status-time.svg",
    table: "cli-status",
    column: "wall",
    title: "Time of a status command in milliseconds",
    subtitle: "shorter is better",
  },
  {
    file: "memory.svg",
    table: "memory-idle",
    column: "idle",
    title: "Private memory of the supervisors, idle, in MB",
    subtitle: "daemon and master together; less is better",
  },
];

/** File names and their SVGs, for what has been measured. */
export function drawCharts(sections: readonly Section[]): ReadonlyMap<string, string> {
  const tables = new Map(sections.flatMap((each) => each.tables).map((table) => [table.key, table]));
  const drawn = choices.flatMap(({ file, table, column, title, subtitle }) => {
    const found = tables.get(table);
    const bars = found === undefined ? [] : listBars(found, column);
    return bars.length < 2 ? [] : [[file, drawChart({ title, subtitle, bars })] as const];
  });
  return new Map(drawn);
}

function listBars(table: Table, key: string): Bar[] {
  const floor = table.columns.find((each) => each.key === key)?.floor;
  const floorCell = floor === undefined ? undefined : table.rows[floor]?.[key];
  return listRows(table).flatMap(([name, cells]) => {
    const cell = cells[key];
    if (cell === undefined) return [];
    const own = name.startsWith("naught") && name !== "naught 1.x";
    if ("text" in cell) return [{ name, value: Number(cell.text), text: cell.text, own }];
    const { median } = summarize(cell.samples);
    const ratio =
      floorCell !== undefined && "samples" in floorCell && name !== floor
        ? compare(cell.samples, floorCell.samples)
        : undefined;
    const text =
      ratio === undefined ? formatNumber(median) : `${formatNumber(median)} · ${ratio.toFixed(2)} ×`;
    return [{ name, value: median, text, own }];
  });
}
