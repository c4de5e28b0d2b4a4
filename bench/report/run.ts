/** One scenario's run: what it found, and all that has to be known to judge it. */
import type { Machine } from "../setting/machine.js";
import type { Section } from "./section.js";

export interface Run {
  readonly section: Section;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly quick: boolean;
  readonly seconds: number;
  /** The share of the processors that other work took just before it and just after it. */
  readonly others: readonly [before: number, after: number];
  /** What could not be measured, and why. */
  readonly troubles: readonly string[];
}
