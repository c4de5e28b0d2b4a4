/** `naught version` */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Terminal } from "./terminal.js";

export function runVersion(terminal: Terminal): number {
  // Beside the folder of the bundles, in a checkout as in an installed package.
  const text = readFileSync(join(import.meta.dirname, "../package.json"), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  terminal.out(version);
  return 0;
}
