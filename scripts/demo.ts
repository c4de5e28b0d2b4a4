/** Shows the main job on a real server: start, two deploys of new code under load, stop; and what the clients saw. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLoad } from "../test/support/load.js";
import type { Report } from "../test/support/load-report.js";

const naught = join(import.meta.dirname, "..", "..", "dist", "naught.cjs");
const folder = mkdtempSync(join(tmpdir(), "naught-demo-"));
const host = "127.0.0.1";
const port = await findFreePort();
const cleanups: (() => unknown)[] = [];

try {
  process.exitCode = await demonstrate();
} finally {
  for (const cleanup of cleanups) cleanup();
  rmSync(folder, { recursive: true, force: true });
}

async function demonstrate(): Promise<number> {
  say(`a plain node:http server, in ${folder}/server.js, which needs no library of naught's`);
  release("1.0");
  await run("start", "--worker-count", "2", "server.js");

  say(
    "load from 8 clients: 4 that reuse their connection, 2 with a new one each time, 2 whose requests take 1 s",
  );
  const load = await startLoad({ host, port, defer: (cleanup) => cleanups.push(cleanup) }, { slowMs: 1000 });
  await load.saw("1.0");
  for (const version of ["2.0", "3.0"]) {
    say(`version ${version} of the code is on disk; deploy it`);
    release(version);
    await run("deploy");
    await load.saw(version);
  }
  say("a release that throws at boot: the deploy fails, version 3.0 goes on serving");
  writeFileSync(join(folder, "server.js"), "throw new Error('a bad release');\n");
  await run("deploy").catch((error: Error) => console.log(`    (${error.message})`));

  const report = await load.stop();
  await run("stop");
  return tell(report);
}

function tell({ ok, failures, versions, latency }: Report): number {
  say("what the clients saw");
  for (const [version, { count }] of Object.entries(versions))
    console.log(`    ${count} answers from version ${version}`);
  console.log(
    `    latency of the quick ones: median ${latency.p50.toFixed(1)} ms, 99 % within ${latency.p99.toFixed(1)} ms`,
  );
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  console.log(
    `    ${ok} requests served, ${failed} failed${failed > 0 ? `: ${JSON.stringify(failures)}` : ""}`,
  );
  return failed > 0 ? 1 : 0;
}

function release(version: string): void {
  const server = `const http = require('node:http');
const version = '${version}';
const server = http.createServer(async (request, response) => {
  const query = new URL(request.url, 'http://server').searchParams;
  if (query.has('ms')) await new Promise((resolve) => setTimeout(resolve, Number(query.get('ms'))));
  response.end(JSON.stringify({ pid: process.pid, version, id: query.get('id') }));
});
server.listen(${port}, '${host}', () => process.send('online'));
process.on('message', (message) => {
  if (message === 'shutdown') process.exit(0);
});
`;
  writeFileSync(join(folder, "server.js"), server);
}

function run(...args: string[]): Promise<void> {
  console.log(`\n$ naught ${args.join(" ")}`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [naught, ...args], { cwd: folder, stdio: "inherit" });
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`exit status ${code}`))));
  });
}

function say(text: string): void {
  console.log(`\n# ${text}`);
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
