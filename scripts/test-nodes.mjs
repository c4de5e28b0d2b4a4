// Runs the end-to-end core on every supported Node: npm's package `node` brings each, into a folder outside the repository.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const core = [
  "e2e/main",
  "e2e/commands",
  "e2e/deploys",
  "e2e/releases",
  "e2e/foreground",
  "e2e/package",
  "e2e/notify",
  "e2e/first-process",
  "e2e/survival",
  "e2e/log-pipes",
  "e2e/log-integrity",
  "e2e/listen",
  "e2e/remote",
  "e2e/bridge",
  "unit/last-words",
  "unit/node-internals",
  "unit/sockets",
  "unit/client",
  "unit/bridge",
];
const own = process.versions.node.split(".")[0];
const versions = (process.env.NODES ?? "20 22 24 26").split(" ").filter((version) => version !== own);

let failed = false;
for (const version of versions) {
  const folder = mkdtempSync(join(tmpdir(), `node-${version}-`));
  try {
    // Some tests run it as somebody else.
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, "package.json"), "{}");
    run("npm", ["install", "--no-save", "--no-audit", "--no-fund", `node@${version}`], {
      cwd: folder,
      stdio: "ignore",
    });
    const node = join(folder, "node_modules", "node", "bin", "node");
    console.log(`\n# Node ${spawnSync(node, ["--version"], { encoding: "utf8" }).stdout}`);
    run(node, ["scripts/test.mjs", ...core], { stdio: "inherit" });
  } catch (error) {
    console.error(`Node ${version}: ${error.message}`);
    failed = true;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
process.exit(failed ? 1 : 0);

function run(command, args, options) {
  const { status, error } = spawnSync(command, args, options);
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${status}`);
}
