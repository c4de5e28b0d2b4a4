/** The drain under load: node:cluster's workers are replaced again and again, and no request is lost. ROUNDS makes it longer. */
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { bundlePreload } from "../support/draining.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { server } from "../support/servers.js";
import { ownAddress, port } from "../support/temp.js";

const rounds = Number(process.env.ROUNDS ?? 12);

let preload: Awaited<ReturnType<typeof bundlePreload>>;
before(async () => {
  preload = await bundlePreload();
});
after(() => preload.remove());

describe("under load", { concurrency: true, timeout: 30_000 + rounds * 3_000 }, () => {
  for (const policy of ["rr", "none"]) {
    test(`${rounds} replacements of all workers lose no request, with cluster's policy "${policy}"`, async (t) => {
      const host = ownAddress();
      const primary = startPrimary(t, { HOST: host, PORT: String(port), NODE_CLUSTER_SCHED_POLICY: policy });
      await once(primary, "message");
      const shape = { keepAlive: 6, fresh: 2, slow: 2, slowMs: 500, idleMs: 1_400 };
      const load = await startLoad({ host, port, defer: (end) => t.after(end) }, shape);
      primary.send("replace");
      await once(primary, "message");
      const report = await load.stop();
      primary.send("end");
      assertUnhurt(report);
      assert.ok(report.reused > rounds, "connections were reused");
      assert.ok(Object.keys(report.versions).length > rounds / 2, "most generations have served");
    });
  }
});

function startPrimary(t: TestContext, env: Readonly<Record<string, string>>): ChildProcess {
  const script = join(import.meta.dirname, "../support/drain-primary.js");
  const args = [preload.path, server("short-keep-alive.cjs"), String(rounds)];
  const primary = fork(script, args, { execArgv: [], env: { ...process.env, ...env } });
  // Workers go with their primary, because their channel does.
  t.after(() => primary.kill("SIGKILL"));
  return primary;
}
