// Runs the compiled tests with node's own runner. Arguments choose files by a part of their path; without any, all run.
//
// A test of real processes shares two cores with its neighbours, and a machine that stands still for seconds can fail one
// that promises something about time. Such a file is run once more by itself, which is said at the end; what fails there
// fails the run. A property test fails at once: its seed fails anywhere.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";

const layers = ["unit", "property", "e2e"];
const chosen = process.argv.slice(2);
const files = layers.flatMap((layer) => {
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

const first = run(picked, 2);
if (first.status === 0) process.exit(0);
const isSeeded = (file) => file.startsWith(join("build", "test", "property"));
// Without an exit status it ran out of time, and has not got to every file.
if (first.status === null || first.failed.length === 0 || first.failed.some(isSeeded)) process.exit(1);
console.log(`\nOnce more, each by itself: ${first.failed.join(", ")}\n`);
const still = first.failed.filter((file) => run([file], 1).status !== 0);
for (const file of first.failed) {
  console.log(
    still.includes(file) ? `failed twice: ${file}` : `failed beside others, passed by itself: ${file}`,
  );
}
process.exit(still.length === 0 ? 0 : 1);

function run(which, concurrency) {
  const folder = mkdtempSync(join(tmpdir(), "naught-failed-"));
  const list = join(folder, "files");
  try {
    const { status } = spawnSync(
      process.execPath,
      [
        "--test",
        `--test-concurrency=${concurrency}`,
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
        `--test-reporter=${join(import.meta.dirname, "failed-files.mjs")}`,
        `--test-reporter-destination=${list}`,
        ...which,
      ],
      // Each test has its own limit, this is the net below them.
      { stdio: "inherit", timeout: 15 * 60 * 1000 },
    );
    const told = readFileSync(list, "utf8").split("\n").filter(Boolean);
    const failed = told.flatMap((file) => findTests(relative(resolve("."), file), which));
    return { status, failed: [...new Set(failed)] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// A test that a shared part declares is told as that part's: it is one of those that import it.
function findTests(file, which) {
  if (which.includes(file)) return [file];
  return which.filter((each) => readFileSync(each, "utf8").includes(`/${basename(file)}"`));
}
