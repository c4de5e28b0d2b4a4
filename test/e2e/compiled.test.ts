/** The programs' compiled code, which is kept beside them: used when it fits, made anew when not, and never needed. */
import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { e2e, type Naught, program } from "../support/naught.js";
import { launch } from "../support/running.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

/** A package of this test's own, without anything compiled. */
function copyPackage(naught: Naught) {
  const dist = naught.path("package", "dist");
  cpSync(dirname(program), dist, { recursive: true });
  cpSync(join(dirname(program), "..", "package.json"), naught.path("package", "package.json"));
  const cache = join(dist, "cache");
  rmSync(cache, { recursive: true, force: true });
  const run = async (...args: string[]): Promise<string> => {
    const options = { cwd: naught.dir, env: naught.env };
    const end = await launch(process.execPath, [join(dist, "naught.cjs"), ...args], options).finished;
    assert.equal(end.code, 0, `${args[0]}: ${end.stderr}`);
    return end.stdout;
  };
  // Without those that are just being written.
  const list = (): string[] =>
    readdirSync(cache)
      .filter((name) => !/\.\d+$/.test(name))
      .sort();
  return { cache, run, list };
}

test(
  "what a command compiled is kept and used by the next one, and what is broken is made anew",
  e2e(async (naught) => {
    const { cache, run, list } = copyPackage(naught);
    const version = await run("version");
    const [name = "", ...others] = list();
    assert.match(name, /^naught-version-/);
    assert.deepEqual(others, []);
    const file = join(cache, name);
    const look = () => statSync(file).ino;
    const first = look();
    assert.equal(await run("version"), version);
    assert.equal(look(), first, "it was rejected");
    const whole = readFileSync(file);
    for (const broken of [Buffer.alloc(0), whole.subarray(0, 1000), Buffer.alloc(whole.length, "x")]) {
      writeFileSync(file, broken);
      assert.equal(await run("version"), version);
      assert.equal(readFileSync(file).length > 1000, true, "it was not made anew");
    }
    assert.deepEqual(list(), [name]);
  }),
);

test(
  "where nothing can be kept everything works",
  e2e(async (naught) => {
    const { cache, run } = copyPackage(naught);
    // No folder can be made here, not even by root.
    writeFileSync(cache, "");
    await run("start", server("http.cjs"));
    assert.equal(await run("status"), "workers online: 1\n");
    await run("stop");
    assert.equal(readFileSync(cache, "utf8"), "");
  }),
);

test(
  "daemon, master and workers keep theirs, too, one file for all workers",
  e2e(async (naught) => {
    const { run, list } = copyPackage(naught);
    await run("start", "--worker-count", "2", server("http.cjs"));
    const programs = () => list().map((name) => name.split("-")[0]);
    await until("four programs to keep their code", () => programs().length >= 4, 30_000);
    assert.deepEqual(programs(), ["daemon", "master", "naught", "worker"]);
    await run("deploy");
    assert.equal(await run("status"), "workers online: 2\n");
    await run("stop");
  }),
);
