/** The kinds of values that options take: how each is read from text, and how it is described. */
import { availableParallelism } from "node:os";
import type { Balance, LineFormat } from "../../protocol/types.js";

export interface ValueType<T> {
  /** Stands for the value in help texts. */
  readonly placeholder: string;
  /** Completes the sentence "… should be". */
  readonly expects: string;
  /** What the option stands for when no value follows it. */
  readonly implied?: string;
  /** The value that the text stands for; undefined when it stands for none. */
  read(text: string): T | undefined;
}

/** As in the protocol. */
export const maxWorkerCount = 1024;

// Node fires a timer at once whose delay does not fit into 31 bits of milliseconds.
const maxSeconds = 2_147_483;

export const workerCount: ValueType<number> = {
  placeholder: "N|auto",
  expects: `a whole number from 1 to ${maxWorkerCount}, or "auto"`,
  read: (text) => (text === "auto" ? availableParallelism() : readWhole(text, 1, maxWorkerCount)),
};

export const newWorkerCount: ValueType<number> = {
  placeholder: "N|auto",
  expects: `a whole number from 0 to ${maxWorkerCount}, or "auto"`,
  read: (text) => (text === "auto" ? availableParallelism() : readWhole(text, 0, maxWorkerCount)),
};

export const byteCount: ValueType<number> = {
  placeholder: "BYTES",
  expects: "a whole number of bytes, at least 1",
  read: (text) => readWhole(text, 1, Number.MAX_SAFE_INTEGER),
};

/** `null` stands for no limit. */
export const fileCount: ValueType<number | null> = {
  placeholder: "N|none",
  expects: 'a whole number, or "none"',
  read: (text) => (text === "none" ? null : readWhole(text, 0, 1_000_000)),
};

/** `null` stands for no limit. */
export const byteLimit: ValueType<number | null> = {
  placeholder: "BYTES|none",
  expects: 'a whole number of bytes, or "none"',
  read: (text) => (text === "none" ? null : readWhole(text, 0, Number.MAX_SAFE_INTEGER)),
};

export const linePrefix: ValueType<NonNullable<LineFormat["prefix"]>> = {
  placeholder: "none|worker|time|worker,time",
  expects: '"none", "worker", "time" or "worker,time"',
  read: (text) =>
    (["none", "worker", "time", "worker,time", "time,worker"] as const).find((known) => known === text),
};

export const textOrJson: ValueType<"text" | "json"> = {
  placeholder: "text|json",
  expects: '"text" or "json"',
  read: (text) => (text === "text" || text === "json" ? text : undefined),
};

export const seconds: ValueType<number> = {
  placeholder: "SECONDS",
  expects: `a number of seconds from 0 to ${maxSeconds}`,
  read: readSeconds,
};

/** `null` stands for no timeout. */
export const timeout: ValueType<number | null> = {
  placeholder: "SECONDS|none",
  expects: `a number of seconds from 0 to ${maxSeconds}, or "none"`,
  read: (text) => (text === "none" ? null : readSeconds(text)),
};

/** How long an event loop may be blocked; `null` stands for as long as it likes. */
export const hangTimeout: ValueType<number | null> = {
  placeholder: "SECONDS|none",
  expects: `a number of seconds from 1 to ${maxSeconds}, or "none"`,
  read: (text) => {
    const value = timeout.read(text);
    return typeof value === "number" && value < 1 ? undefined : value;
  },
};

/** In bytes; `null` stands for no limit. */
export const memoryLimit: ValueType<number | null> = {
  placeholder: "BYTES|none",
  expects: 'a size from 1M as in 500000000, 512M or 2G, or "none"',
  read: (text) => {
    if (text === "none") return null;
    const [, number = "", unit = ""] = /^(\d{1,16})([KMG]?)$/i.exec(text) ?? [];
    const bytes = readWhole(number, 1, Number.MAX_SAFE_INTEGER);
    const size = bytes === undefined ? 0 : bytes * 1024 ** " KMG".indexOf(unit.toUpperCase() || " ");
    return size >= 1024 ** 2 && size <= Number.MAX_SAFE_INTEGER ? size : undefined;
  },
};

export const trueOrFalse: ValueType<boolean> = {
  placeholder: "true|false",
  expects: '"true" or "false"',
  read: (text) => (text === "true" ? true : text === "false" ? false : undefined),
};

/** `null` stands for all of them. */
export const lineCount: ValueType<number | null> = {
  placeholder: "LINES|all",
  expects: 'a whole number of lines, at most 1000000, or "all"',
  read: (text) => (text === "all" ? null : readWhole(text, 0, 1_000_000)),
};

const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** In seconds. */
export const age: ValueType<number> = {
  placeholder: "AGE",
  expects: "a number with its unit, as in 30s, 10m, 2h or 1d",
  read: (text) => {
    const [, number, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
    return number === undefined ? undefined : Number(number) * (secondsIn[unit] ?? 1);
  },
};

export const slot: ValueType<number> = {
  placeholder: "N",
  expects: "the number of a worker",
  read: (text) => readWhole(text, 0, maxWorkerCount),
};

/** May be said without a value. */
export const flag: ValueType<boolean> = { ...trueOrFalse, placeholder: "[true|false]", implied: "true" };

export const path: ValueType<string> = {
  placeholder: "PATH",
  expects: "a path, not an empty one",
  read: (text) => text || undefined,
};

export const name: ValueType<string> = { placeholder: "NAME", expects: "a name", read: (text) => text };

const balances: readonly Balance[] = ["slots", "shared", "round-robin"];

export const balance: ValueType<Balance> = {
  placeholder: balances.join("|"),
  expects: '"slots", "shared" or "round-robin"',
  read: (text) => balances.find((known) => known === text),
};

/** The owner always may, and there is nothing to execute. */
export const socketMode: ValueType<number> = {
  placeholder: "MODE",
  expects: "permissions in octal, from 600 to 666, as in 660",
  read: (text) => (/^0?6[0246][0246]$/.test(text) ? Number.parseInt(text, 8) : undefined),
};

export const argumentList: ValueType<string[]> = {
  placeholder: "ARGS",
  expects: "arguments, separated by spaces",
  read: (text) => text.split(/\s+/).filter(Boolean),
};

/** Methods of the daemon, as the protocol calls them. */
export const methodList: ValueType<string[]> = {
  placeholder: "METHODS",
  expects: "methods of the daemon, separated by commas, as in status,watch,deploy",
  read: (text) => {
    const names = text.split(",").map((name) => name.trim());
    return names.every((name) => /^[A-Za-z]+$/.test(name)) ? names : undefined;
  },
};

function readWhole(text: string, least: number, most: number): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= least && number <= most ? number : undefined;
}

function readSeconds(text: string): number | undefined {
  if (!/^(\d+\.?\d*|\.\d+)$/.test(text)) return undefined;
  const number = Number(text);
  return number <= maxSeconds ? number : undefined;
}
