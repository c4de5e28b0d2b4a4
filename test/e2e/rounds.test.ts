/** Many rounds of start, deploy, crash and stop: no process, no socket, no descriptor is left of them. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { e2e, type Naught } from "../support/naught.js";
import { countDescriptors, kill, listDescriptors } from "../support/processes.js";
import { openRandom, type Random } from "../support/random.js";
import { server } from "../support/servers.js";
import { until } from "../support/wait.js";

const rounds = Number(process.env.ROUNDS ?? 10);
const workers = 2;

/** What the test knows of the daemon of the moment. */
interface Life {
  crashes: number;
  /** How many descriptors it had at rest, after its first deploy or crash. */
  descriptors?: number;
}

test(`${rounds} rounds in random order leave nothing behind`, async (t) => {
  const random = openRandom();
  t.diagnostic(`SEED=${random.seed}`);
  await e2e((naught) => play(naught, random), 30_000 + rounds * 10_000)().catch((error: Error) => {
    throw new Error(`SEED=${random.seed}: ${error.message}`, { cause: error });
  });
});

async function play(naught: Naught, random: Random): Promise<void> {
  let life: Life | undefined;
  for (let round = 0; round < rounds; round += 1) {
    if (life === undefined) {
      await naught.succeed(["start", "--worker-count", String(workers), server("http.cjs")]);
      life = { crashes: 0 };
      continue;
    }
    // A worker that crashes again and again is held back for longer and longer, which is another test's matter.
    const deed = random.pick(["deploy", "deploy", "stop", ...(life.crashes < 2 ? ["crash", "crash"] : [])]);
    if (deed === "stop") {
      await stop(naught);
      life = undefined;
      continue;
    }
    if (deed === "deploy") await naught.succeed(["deploy"]);
    else await crash(naught, random);
    if (deed === "crash") life.crashes += 1;
    assert.equal(naught.workers().length, workers);
    await assertNoGrowth(naught, life);
  }
  if (life !== undefined) await stop(naught);
}

async function crash(naught: Naught, random: Random): Promise<void> {
  const victim = random.pick(naught.workers()).pid;
  kill(victim);
  const isReplaced = async () =>
    naught.workers().every((each) => each.pid !== victim) &&
    (await naught.run(["status"])).stdout === `workers online: ${workers}\n`;
  await until("a replacement", isReplaced, 15_000);
}

async function assertNoGrowth(naught: Naught, life: Life): Promise<void> {
  const pid = naught.daemon();
  const limit = life.descriptors;
  if (limit === undefined) {
    life.descriptors = countDescriptors(pid);
    return;
  }
  await until(
    `the daemon to have ${limit} descriptors again`,
    () => countDescriptors(pid) <= limit,
    3_000,
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${listDescriptors(pid).join(", ")}`);
  });
}

async function stop(naught: Naught): Promise<void> {
  await naught.succeed(["stop"]);
  await until("no process to be left", () => naught.processes().length === 0, 2_000);
  const left = readdirSync(naught.dir).filter((name) => !name.endsWith(".log"));
  assert.deepEqual(left, []);
}
