/** The description of the protocol for programs, which is made at the build and lies beside them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

let known: unknown;

export function readOpenRpc(): unknown {
  known ??= JSON.parse(readFileSync(join(import.meta.dirname, "openrpc.json"), "utf8"));
  return known;
}
