/** The program as a process: wrong usage, help, unexpected errors, streams that nobody reads. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { end, staged } from "../support/cli-stage.js";

staged("wrong usage is one line on stderr, exit 2", async ({ run }) => {
  const refused = async (args: string[], line: string) =>
    assert.deepEqual(await run(args), end(2, "", `${line}\n`));
  await refused(["strat"], 'naught: unknown command "strat"; did you mean "start"? (see: naught help)');
  await refused(["help", "x"], 'naught help: unknown command "x" (see: naught help help)');
  await refused(["start"], "naught start: the script to run is missing (see: naught help start)");
  await refused(
    ["start", "--launchd-socket", "x", "s.js"],
    process.platform === "darwin"
      ? "naught start: --launchd-socket needs --daemon-mode false (see: naught help start)"
      : "naught start: --launchd-socket works on macOS only (see: naught help start)",
  );
  const { code, stderr } = await run(["status", "x".repeat(200)]);
  assert.equal(code, 2);
  assert.match(stderr, /^naught status: the path of the ipc-file should be at most \d+ bytes long.*\n$/);
});

staged("help and version", async ({ run }) => {
  const help = await run(["help"]);
  assert.match(help.stdout, /^Usage: naught /);
  assert.deepEqual(await run([]), end(2, "", help.stdout));
  assert.deepEqual(await run(["--help"]), help);
  const start = await run(["help", "start"]);
  assert.deepEqual([start.code, start.stderr], [0, ""]);
  assert.deepEqual(await run(["start", "--help"]), start);
  assert.match((await run(["version"])).stdout, /^\d+\.\d+\.\d+.*\n$/);
  assert.deepEqual(await run(["--version"]), await run(["version"]));
});

staged("an unexpected error is one line; its stack is told on demand", async ({ run, dir }) => {
  const hook = join(dir, "hook.cjs");
  writeFileSync(hook, 'process.nextTick(() => { throw new Error("boom\\nand more"); });');
  const env = { NODE_OPTIONS: `--require ${hook}` };
  assert.deepEqual(await run(["status"], { env }), end(1, "", "naught: boom and more\n"));
  const debugged = await run(["status"], { env: { ...env, NAUGHT_DEBUG: "1" } });
  assert.match(debugged.stderr, /^Error: boom\n.*\n {4}at /s);
});

staged("a reader that goes away is no error", async ({ program, dir }) => {
  const script = '("$0" "$1" help start; echo "exit $?" >&2) | head -1';
  const { stdout, stderr } = spawnSync("/bin/sh", ["-c", script, process.execPath, resolve(program)], {
    cwd: dir,
    encoding: "utf8",
  });
  assert.equal(stdout, "Usage: naught start [options] SCRIPT [script-options]\n");
  assert.equal(stderr, "exit 0\n");
});
