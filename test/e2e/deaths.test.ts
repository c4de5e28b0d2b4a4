/** Every way in which a worker can die: replaced at once, in its slot, and told with its reason and last words. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import type { Status } from "../../src/protocol/types.js";
import { eventNames } from "../support/events.js";
import { e2e, type Naught } from "../support/naught.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

async function ask(naught: Naught): Promise<Status> {
  return JSON.parse((await naught.succeed(["status", "--json"])).stdout) as Status;
}

const ways: readonly { readonly way: string; readonly reason: RegExp; readonly word?: RegExp }[] = [
  { way: "kill", reason: /^was killed by SIGKILL$/ },
  { way: "segv", reason: /^was killed by SIGSEGV$/ },
  { way: "abort", reason: /^was killed by SIGABRT$/, word: /deaths\.cjs/ },
  { way: "throw", reason: /^exited with code 1$/ },
  { way: "zero", reason: /^exited with code 0$/ },
  { way: "heap", reason: /^was killed by SIG\w+ \(its JavaScript heap was full\)$/, word: /./ },
];

test(
  "a worker is replaced at once however it dies, and log, event and status say how, after how long, and its last words",
  e2e(async (naught) => {
    // Every death makes another slot's first one, which is not held back.
    const count = String(ways.length);
    await naught.succeed([
      "start",
      ...["--worker-count", count, "--balance", "shared", "--node-args", "--max-old-space-size=24"],
      server("deaths.cjs"),
    ]);
    const slots = new Set<number>();
    for (const { way, reason, word = new RegExp(`dying by ${way}`) } of ways) {
      const before = naught.workers();
      await get(naught, `/${way}`).catch(() => undefined);
      const status = await until(
        `a replacement after ${way}`,
        async () => {
          const after = naught.workers();
          const gone = before.filter(({ pid }) => after.every((each) => each.pid !== pid));
          if (gone.length !== 1 || after.length !== ways.length) return false;
          const told = await ask(naught);
          return told.counts.online === ways.length && told;
        },
        30_000,
      );
      const after = naught.workers();
      assert.deepEqual(
        after.map(({ slot }) => slot),
        ways.map((_, slot) => slot),
      );
      const dead = before.find(({ pid }) => after.every((each) => each.pid !== pid));
      const { lastDeath } = status.slots?.find(({ slot }) => slot === dead?.slot) ?? {};
      assert.equal(lastDeath?.worker.pid, dead?.pid);
      assert.match(lastDeath?.reason ?? "", reason, way);
      assert.ok((lastDeath?.seconds ?? 0) > 0.05, `${way}: lived ${lastDeath?.seconds} s`);
      assert.match(lastDeath?.stderr?.join() ?? "", word, way);
      const log = naught.read("naught.log");
      assert.ok(
        log.includes(`worker ${dead?.slot} (pid ${dead?.pid}) ${lastDeath?.reason} after `),
        `${way}: ${log}`,
      );
      assert.match(log, /last lines of its stderr:\n {4}\S/);
      slots.add(dead?.slot ?? -1);
    }
    await naught.succeed(["stop", "--timeout", "5"]);
  }),
);

test(
  "a server that exits at boot after a good start is backed off, and a fix goes through at once",
  e2e(async (naught) => {
    const broken = naught.path("broken");
    await naught.succeed(["start", server("deaths.cjs")], { env: { BROKEN: broken } });
    naught.write("broken", "");
    const begun = performance.now();
    await get(naught, "/kill").catch(() => undefined);
    const forks = () =>
      eventNames(naught.read("naught.log")).filter((name) => name === "SpawnNew").length - 1;
    const { slots } = await until(
      "the fourth failure",
      async () => {
        const status = await ask(naught);
        return (status.slots?.[0]?.failures ?? 0) >= 4 && status;
      },
      60_000,
    );
    const seconds = (performance.now() - begun) / 1000;
    // Each of the later tries came after a wait, the shortest of which are 0.75, 1.5 and 3 s.
    assert.ok(forks() <= 2 + Math.floor(Math.log2(1 + seconds / 0.75)), `${forks()} forks in ${seconds} s`);
    assert.match(slots?.[0]?.lastDeath?.reason ?? "", /^exited with code 9$/);
    assert.deepEqual(slots?.[0]?.lastDeath?.stderr, ["broken release"]);
    assert.ok((slots?.[0]?.seconds ?? 0) > 0 && slots?.[0]?.until !== undefined, "the next try is told");
    const verbose = await naught.succeed(["status", "--verbose"]);
    assert.match(verbose.stdout, /^workers online: 0\n/);
    assert.match(verbose.stdout, /^worker 0: 4 failures in a row, next try in \d/m);
    assert.match(
      verbose.stdout,
      /^ {4}last death \S+Z: pid \d+ exited with code 9 after \d+\.\d s\n {8}broken release$/m,
    );
    rmSync(broken);
    const before = performance.now();
    await naught.succeed(["deploy"]);
    assert.ok(performance.now() - before < 3000, "the deploy does not wait for the next try");
    assert.equal((await get(naught)).status, 200);
    assert.equal((await ask(naught)).slots?.[0]?.failures, 0);
    await naught.succeed(["stop", "--timeout", "5"]);
  }),
);
