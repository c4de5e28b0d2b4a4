/**
 * What naught is measured against, from npm, in a folder of its own below the system's temporary one, so that a second
 * run is quick. One that cannot be had is left out. The original naught does not run on today's Node as it is; it is
 * mended here, as little as possible.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

export interface Peers {
  /** Programs; undefined for what could not be installed. */
  readonly original: string | undefined;
  readonly pm2: string | undefined;
  /** The folder that has its module pm2-logrotate. */
  readonly logrotate: string | undefined;
  /** A Node that can bind several sockets to one address (22.12 and later): this one, or one that was installed. */
  readonly slotsNode: string | undefined;
  readonly versions: Readonly<Record<string, string>>;
  /** What could not be had, and why. */
  readonly troubles: readonly string[];
}

export function installPeers(say: (text: string) => void): Peers {
  const versions: Record<string, string> = {};
  const troubles: string[] = [];
  const install = (label: string, spec: string, program: string, change?: (folder: string) => void) => {
    try {
      const name = spec.slice(0, spec.lastIndexOf("@"));
      const folder = join(provide(spec, say, change), "node_modules", name);
      const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
        version: string;
      };
      versions[label] = change ? `${version}, mended` : version;
      return join(folder, program);
    } catch (error) {
      const message = `${spec} could not be installed: ${error instanceof Error ? error.message : error}`;
      troubles.push(message.replaceAll("\n", " ").slice(0, 300));
      say(`FAILED ${message}`);
      return undefined;
    }
  };
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const hasSlots = major > 22 || (major === 22 && minor >= 12);
  return {
    original: install("naught 1.x", "naught@1.6.0", "lib/main.js", mend),
    pm2: install("pm2", "pm2@7", "bin/pm2"),
    logrotate: install("pm2-logrotate", "pm2-logrotate@3", "../.."),
    slotsNode: hasSlots ? process.execPath : install("node for slots", "node@22", "bin/node"),
    versions,
    troubles,
  };
}

/** The folder in which a package is installed. */
function provide(spec: string, say: (text: string) => void, change?: (folder: string) => void): string {
  const folder = join(tmpdir(), `naught-bench-peers-${userInfo().uid}`, spec);
  if (existsSync(join(folder, "done"))) return folder;
  say(`installing ${spec} ...`);
  const unfinished = `${folder}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  writeFileSync(join(unfinished, "package.json"), "{}");
  npm(unfinished, ["install", "--no-audit", "--no-fund", spec]);
  change?.(join(unfinished, "node_modules", spec.slice(0, spec.lastIndexOf("@"))));
  writeFileSync(join(unfinished, "done"), "");
  rmSync(folder, { recursive: true, force: true });
  renameSync(unfinished, folder);
  return folder;
}

function npm(cwd: string, args: readonly string[]): void {
  const { status, error, stderr } = spawnSync("npm", args, { cwd, encoding: "utf8", timeout: 180_000 });
  if (error) throw error;
  if (status !== 0) throw new Error(`npm ${args.join(" ")} ended with ${status}: ${stderr}`);
}

/** Node has become strict about what is written to a file, and about errors on a channel that nobody listens to. */
const mends = [
  [
    "fs.writeFile(pidFile, process.pid, function(){",
    "fs.writeFile(pidFile, String(process.pid), function(){",
  ],
  ["exports.start = startDaemon;", "exports.start = startDaemon;\nprocess.on('error', function() {});"],
] as const;

function mend(folder: string): void {
  const file = join(folder, "lib/daemon.js");
  let text = readFileSync(file, "utf8");
  for (const [from, to] of mends) {
    if (text.split(from).length !== 2) throw new Error(`the original naught cannot be mended: no "${from}"`);
    text = text.replace(from, to);
  }
  writeFileSync(file, text);
}
