/** protocol.md against a real daemon: its examples are what a daemon says today, and its two clients work. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { captureExamples } from "../../scripts/protocol-examples.js";
import { documentPath, fill } from "../../scripts/protocol-md.js";
import { e2e, program } from "../support/naught.js";
import { launch } from "../support/running.js";
import { server } from "../support/servers.js";

const document = readFileSync(documentPath, "utf8");

test("the examples are what a daemon says today", { timeout: 60_000 }, async () => {
  const examples = await captureExamples(dirname(program));
  assert.equal(fill(document, examples), document, "protocol.md is out of date: run `npm run docs`");
});

test(
  "the clients in shell and Python get their answers",
  e2e(async (naught) => {
    await naught.succeed(["start", "--worker-count", "1", server("http.cjs")]);
    const options = { cwd: naught.dir, env: { ...process.env, ...naught.env } as Record<string, string> };
    const python = await launch("python3", ["-c", findBlock("python")], options).finished;
    assert.equal(python.stderr, "");
    assert.equal((JSON.parse(python.stdout) as { phase: string }).phase, "online");
    const shell = await launch("sh", ["-c", findBlock("sh")], options).finished;
    if (shell.code !== 127) assert.match(shell.stdout, /"phase":"online"/);
    await naught.succeed(["stop"]);
  }),
);

function findBlock(language: string): string {
  const [, block = ""] = new RegExp(`\`\`\`${language}\n(.*?)\n\`\`\``, "s").exec(document) ?? [];
  return block;
}
