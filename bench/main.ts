/** `npm run bench`: runs the scenarios one after the other, keeps what they found, and leaves nothing behind. */
import { writeFileSync } from "node:fs";
import { listContenders } from "./contenders/all.js";
import { type Options, parseOptions, type ScenarioName, usage } from "./options.js";
import { openPlan } from "./plan.js";
import { profileProgram } from "./profile.js";
import { renderTable, renderVerdicts } from "./report/markdown.js";
import type { Run } from "./report/run.js";
import type { Scenario } from "./report/section.js";
import { judgeTargets } from "./report/targets.js";
import { keepRun, publish } from "./results.js";
import { balance } from "./scenarios/balance.js";
import { cli } from "./scenarios/cli.js";
import { crashLoop } from "./scenarios/crash-loop.js";
import { deploys } from "./scenarios/deploys.js";
import { endurance } from "./scenarios/endurance.js";
import { kills } from "./scenarios/kills.js";
import { logs } from "./scenarios/logs.js";
import { memory } from "./scenarios/memory.js";
import { protocol } from "./scenarios/protocol.js";
import { scale } from "./scenarios/scale.js";
import { steady } from "./scenarios/steady.js";
import { installPeers } from "./setting/install.js";
import { describeMachine } from "./setting/machine.js";
import { awaitQuiet, bearable, measureOthers } from "./setting/others.js";
import { closeStages, endStages } from "./setting/stage.js";

const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  deploys,
  kills,
  balance,
  steady,
  cli,
  memory,
  logs,
  "crash-loop": crashLoop,
  scale,
  protocol,
  endurance,
};

// Node reads the extra certificates at every start, which takes longer than much of what is measured here.
delete process.env.NODE_EXTRA_CA_CERTS;
delete process.env.NODE_OPTIONS;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    void endStages().finally(() => process.exit(130));
  });
}

const began = performance.now();
const since = (from: number) => Math.round((performance.now() - from) / 1000);
const say = (text: string) => console.error(`[${since(began)} s] ${text}`);

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await endStages();
}
// A timer or a socket that is left must not keep a finished run alive.
process.exit();

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) return;
  if (options.profile !== undefined) return console.log(await profileProgram(options.profile));
  if (options.render) return publish();
  const machine = describeMachine();
  const peers = installPeers(say);
  const contenders = listContenders(peers, options.peers);
  const runs: Run[] = [];
  for (const name of options.only) {
    const { plan, troubles } = openPlan(options, contenders, peers, say);
    const before = await awaitQuiet(20);
    if (before > bearable)
      say(`WARNING: other work takes ${percent(before)}: the times of ${name} tell little`);
    const from = performance.now();
    await plan.attempt(
      name,
      async () => {
        const section = await scenarios[name](plan);
        for (const table of section.tables)
          console.log(`\n${section.title}: ${table.title}\n${renderTable(table)}`);
        const seconds = since(from);
        await closeStages();
        const others = [before, await measureOthers()] as const;
        const { versions, troubles: missing } = peers;
        const run = { section, machine, versions, quick: options.quick, seconds, others } as const;
        runs.push({ ...run, troubles: [...missing, ...troubles] });
      },
      600,
    );
    // What a scenario that was given up has left running must not disturb the next one.
    await closeStages();
    const last = runs.at(-1);
    if (last?.section.name === name && options.keep) {
      // After every scenario, so that a run which is interrupted was not in vain.
      keepRun(last);
      publish();
    }
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(runs, null, 1)}\n`);
  }
  console.log(`\n${renderVerdicts(judgeTargets(runs.map(({ section }) => section)))}`);
  say("done");
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} % of the processors`;
}

function readOptions(args: readonly string[]): Options | undefined {
  try {
    return parseOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}
