/** What a validator found, in words for whoever sent it. */
import type { ValidationError } from "./contract.js";

export interface Problem {
  /** As in `workers[0].pid`. */
  readonly path: string;
  readonly expected: string;
}

/** A message has room for so many; whoever gets more wrong finds the rest with the next try. */
const most = 10;
const longest = 200;

/** `whole` is what a problem with everything at once is called. Each path is named once. */
export function explainErrors(errors: readonly ValidationError[], whole: string): Problem[] {
  const found = new Map<string, Problem>();
  for (const { path, expected } of errors) {
    if (found.size === most) break;
    const short = shorten(path.replace(/^\$input\.?/, "")) || whole;
    if (!found.has(short)) found.set(short, { path: short, expected: shorten(translate(expected)) });
  }
  return [...found.values()];
}

export function joinProblems(problems: readonly Problem[]): string {
  return problems.map(({ path, expected }) => `${path} should be ${expected}`).join("; ");
}

export function shorten(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

const phrases: readonly [RegExp, string][] = [
  [/\(?number & Type<"uint32"> & Minimum<1>\)?/g, `an integer from 1 to ${2 ** 32 - 1}`],
  [/\(?number & Type<"uint32"> & Minimum<1> & Maximum<(\d+)>\)?/g, "an integer from 1 to $1"],
  [/\(?number & Type<"uint32"> & Maximum<(\d+)>\)?/g, "an integer from 0 to $1"],
  // The validator names only what was broken, and every number with an upper bound is a count.
  [/\(?number & Maximum<(\d+)>\)?/g, "an integer from 0 to $1"],
  [/\(?number & Type<"uint32">\)?/g, `an integer from 0 to ${2 ** 32 - 1}`],
  [/\(?number & Type<"uint64"> & Minimum<1>\)?/g, "an integer from 1 on"],
  [/\(?number & Minimum<0>\)?/g, "a number from 0 on"],
  [/\(?string & Format<"date-time">\)?/g, "a time as in 2026-01-31T23:59:59Z"],
  [/ \| undefined/g, ""],
  [/^Empty$/, "an object"],
];

// The validators speak TypeScript; clients need not.
function translate(expected: string): string {
  let text = expected;
  for (const [from, to] of phrases) text = text.replace(from, to);
  return text.replace(/^\((.*)\)$/, "$1");
}
