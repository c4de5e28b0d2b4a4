/** What the figures were taken on; nothing that tells one machine from another of its kind. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { root } from "../../test/support/servers.js";

export interface Machine {
  readonly date: string;
  readonly processors: string;
  readonly memory: string;
  readonly kernel: string;
  readonly node: string;
  readonly naught: string;
}

export function describeMachine(): Machine {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return {
    date: new Date().toISOString().slice(0, 10),
    processors: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? "unknown"}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    kernel: `Linux ${/^\d+\.\d+/.exec(release())?.[0] ?? ""}`,
    node: process.versions.node,
    naught: `${version}${revision()}`,
  };
}

function revision(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const changed = git("status", "--porcelain", "--", "src") === "" ? "" : " and changes to src";
    return ` (${git("rev-parse", "--short", "HEAD")}${changed})`;
  } catch {
    return "";
  }
}
