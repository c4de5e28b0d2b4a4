/** What was measured: tables of samples, and what follows from samples. */

export interface Column {
  readonly key: string;
  readonly label: string;
  readonly unit: string;
  /** The row that the others are held against. */
  readonly floor?: string;
}

export type Cell =
  | { readonly samples: readonly number[] }
  /** What is counted, or said in words. */
  | { readonly text: string };

export interface Table {
  readonly key: string;
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: Readonly<Record<string, Readonly<Record<string, Cell>>>>;
}

export interface Book {
  add(row: string, column: string, sample: number): void;
  say(row: string, column: string, text: string): void;
  readonly table: Table;
}

export function openBook(key: string, title: string, columns: readonly Column[]): Book {
  const rows: Record<string, Record<string, Cell>> = {};
  const rowOf = (name: string) => {
    rows[name] ??= {};
    return rows[name];
  };
  return {
    add: (name, column, sample) => {
      const row = rowOf(name);
      const cell = row[column];
      row[column] = { samples: [...(cell !== undefined && "samples" in cell ? cell.samples : []), sample] };
    },
    say: (name, column, text) => {
      rowOf(name)[column] = { text };
    },
    table: { key, title, columns, rows },
  };
}

export interface Stat {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

export function summarize(samples: readonly number[]): Stat {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN, count: sorted.length };
}

export function readSamples(table: Table | undefined, row: string, column: string): readonly number[] {
  const cell = table?.rows[row]?.[column];
  return cell !== undefined && "samples" in cell ? cell.samples : [];
}

/**
 * The median of a figure against its floor. Rounds are interleaved, so what slows a whole round slows both: where there
 * are as many samples of each, each is held against the one of its own round.
 */
export function compare(samples: readonly number[], floor: readonly number[]): number | undefined {
  if (samples.length === 0 || floor.length === 0) return undefined;
  if (samples.length !== floor.length) return summarize(samples).median / summarize(floor).median;
  return summarize(samples.map((each, index) => each / (floor[index] ?? Number.NaN))).median;
}
