/**
 * What naught is measured against, from npm, in a folder of its own below the system's temporary one, so that a second
 * run is quick. The original naught does not run on today's Node as it is; it is mended here, as little as possible.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

export interface Peers {
  readonly original: string;
  readonly pm2: string;
  /** A Node that can bind several sockets to one address (22.12 and later): this one, or one that was installed. */
  readonly slotsNode: string;
  readonly versions: Readonly<Record<string, string>>;
}

const packages = ["naught@1.6.0", "pm2@7", "node@22"];

export function installPeers(say: (text: string) => void): Peers {
  const folder = join(tmpdir(), `naught-bench-peers-${userInfo().uid}`);
  if (!existsSync(join(folder, "done"))) {
    say(`installing ${packages.join(", ")} ...`);
    rmSync(folder, { recursive: true, force: true });
    const unfinished = `${folder}.${process.pid}`;
    mkdirSync(unfinished, { recursive: true, mode: 0o700 });
    writeFileSync(join(unfinished, "package.json"), "{}");
    npm(unfinished, ["install", "--no-audit", "--no-fund", ...packages]);
    mend(join(unfinished, "node_modules/naught/lib/daemon.js"));
    writeFileSync(join(unfinished, "done"), "");
    renameSync(unfinished, folder);
  }
  const modules = join(folder, "node_modules");
  const versionOf = (name: string): string =>
    (JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8")) as { version: string }).version;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const hasSlots = major > 22 || (major === 22 && minor >= 12);
  return {
    original: join(modules, "naught/lib/main.js"),
    pm2: join(modules, "pm2/bin/pm2"),
    slotsNode: hasSlots ? process.execPath : join(modules, "node/bin/node"),
    versions: {
      "naught 1.x": `${versionOf("naught")}, mended`,
      pm2: versionOf("pm2"),
      "node for slots": hasSlots ? process.versions.node : versionOf("node"),
    },
  };
}

function npm(cwd: string, args: readonly string[]): void {
  const { status, error, stderr } = spawnSync("npm", args, { cwd, encoding: "utf8" });
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

function mend(file: string): void {
  let text = readFileSync(file, "utf8");
  for (const [from, to] of mends) {
    if (text.split(from).length !== 2) throw new Error(`the original naught cannot be mended: no "${from}"`);
    text = text.replace(from, to);
  }
  writeFileSync(file, text);
}
