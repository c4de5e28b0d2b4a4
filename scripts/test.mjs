// Runs the compiled tests with node's own runner. Arguments choose files by a part of their path; without any, all run.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const chosen = process.argv.slice(2);
const files = ["unit", "property", "e2e"].flatMap((layer) => {
  const folder = join("build", "test", layer);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".test.js"))
    .map((name) => join(folder, name));
});
const picked =
  chosen.length === 0 ? files : files.filter((file) => chosen.some((part) => file.includes(part)));
if (picked.length === 0) {
  console.error(`no test matches ${chosen.join(", ")}`);
  process.exit(1);
}
const { status } = spawnSync(
  process.execPath,
  ["--test", "--test-concurrency=2", "--test-reporter=spec", ...picked],
  {
    stdio: "inherit",
    // Two processes at a time on two cores: each test has its own limit, this is the net below them.
    timeout: 15 * 60 * 1000,
  },
);
process.exit(status ?? 1);
