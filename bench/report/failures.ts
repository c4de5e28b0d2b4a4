/** How failures are entered into a table: how many of how many, and then by kind. */

import type { FailureKind } from "../../test/support/load-report.js";
import type { PhaseReport } from "../client/open-words.js";
import type { Book } from "./table.js";

const words: Readonly<Record<FailureKind, string>> = {
  refused: "refused",
  resetFresh: "reset on a new connection",
  resetReused: "reset on a reused connection",
  truncated: "truncated",
  timeout: "no answer in time",
  badStatus: "wrong status",
  badBody: "wrong body",
  other: "others",
};

const kindsOf = new WeakMap<Book, Map<string, Map<string, number>>>();

/** Sums up over all rounds; the samples are those of each round. */
export function addFailures(book: Book, row: string, phases: readonly PhaseReport[]): number {
  const rows = kindsOf.get(book) ?? new Map<string, Map<string, number>>();
  kindsOf.set(book, rows);
  const kinds = rows.get(row) ?? new Map<string, number>();
  rows.set(row, kinds);
  let failed = 0;
  let asked = 0;
  for (const phase of phases) {
    asked += phase.asked;
    for (const [kind, count] of Object.entries(phase.failures)) {
      failed += count;
      kinds.set(words[kind as FailureKind], (kinds.get(words[kind as FailureKind]) ?? 0) + count);
    }
  }
  const add = (name: string, more: number) => kinds.set(name, (kinds.get(name) ?? 0) + more);
  add("(asked)", asked);
  add("(failed)", failed);
  return failed;
}

/** Writes a row's sums into the columns `asked`, `failed` and `kinds`. */
export function sayFailures(book: Book, row: string): void {
  const kinds = kindsOf.get(book)?.get(row) ?? new Map<string, number>();
  const told = [...kinds]
    .filter(([name]) => !name.startsWith("("))
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${count} ${name}`);
  book.say(row, "asked", String(kinds.get("(asked)") ?? 0));
  book.say(row, "failed", String(kinds.get("(failed)") ?? 0));
  book.say(row, "kinds", told.join(", ") || "–");
}
