/** Workers that print numbered lines, and the account of what became of them. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { numberedLine, readLog, readNumbers } from "./log-files.js";
import type { Naught } from "./naught.js";
import { get } from "./request.js";
import { until } from "./wait.js";

/** What one worker printed, as it said when it ended, and what of it is in the log. */
export interface Account {
  readonly printed: number;
  readonly found: readonly number[];
  readonly missing: readonly number[];
  readonly missingBytes: number;
}

/** By process id. Throws on a line that is torn, doubled or out of its order. */
export async function audit(naught: Naught, log = "stdout.log"): Promise<Map<string, Account>> {
  const numbers = readNumbers(await readLog(naught.path(log)));
  const accounts = new Map<string, Account>();
  for (const name of readdirSync(naught.dir).filter((each) => each.startsWith("printed-"))) {
    const writer = name.slice("printed-".length);
    const printed = Number(naught.read(name));
    const found = numbers.get(writer) ?? [];
    for (const [index, number] of found.entries()) {
      const before = found[index - 1] ?? -1;
      assert.ok(number > before && number < printed, `${writer}: ${number} of ${printed} after ${before}`);
    }
    const present = new Set(found);
    const missing = [...Array(printed).keys()].filter((number) => !present.has(number));
    const bytes = missing.map((number) => Buffer.byteLength(numberedLine(writer, number)));
    accounts.set(writer, { printed, found, missing, missingBytes: add(bytes) });
  }
  for (const writer of numbers.keys()) assert.ok(accounts.has(writer), `${writer} never printed`);
  return accounts;
}

export function countMissing(accounts: ReadonlyMap<string, Account>): number {
  return add([...accounts.values()].map(({ missingBytes }) => missingBytes));
}

/** Resolves with how many lines each of so many workers has printed at some moment from now on. */
export async function askCounts(naught: Naught, workers: number): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  await until("every worker to tell its count", async () => {
    const { pid, count } = (await get(naught, "/count")).body;
    if (!counts.has(String(pid))) counts.set(String(pid), Number(count));
    return counts.size === workers;
  });
  return counts;
}

function add(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}
