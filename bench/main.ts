/** `npm run bench`: runs the scenarios one after the other, writes what they found, and leaves nothing behind. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../test/support/servers.js";
import { listContenders } from "./contenders/all.js";
import { type Options, parseOptions, type ScenarioName, usage } from "./options.js";
import { profileCli } from "./profile.js";
import { drawCharts } from "./report/charts.js";
import { type Results, renderMarkdown, renderTable, renderVerdicts } from "./report/markdown.js";
import type { Plan, Scenario, Section } from "./report/section.js";
import { judgeTargets } from "./report/targets.js";
import { balance } from "./scenarios/balance.js";
import { cli } from "./scenarios/cli.js";
import { crashLoop } from "./scenarios/crash-loop.js";
import { deploys } from "./scenarios/deploys.js";
import { kills } from "./scenarios/kills.js";
import { logs } from "./scenarios/logs.js";
import { memory } from "./scenarios/memory.js";
import { protocol } from "./scenarios/protocol.js";
import { scale } from "./scenarios/scale.js";
import { steady } from "./scenarios/steady.js";
import { installPeers } from "./setting/install.js";
import { describeMachine } from "./setting/machine.js";
import { bearable, measureOthers } from "./setting/others.js";
import { closeStages } from "./setting/stage.js";

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
};

// Node reads the extra certificates at every start, which takes longer than much of what is measured here.
delete process.env.NODE_EXTRA_CA_CERTS;
delete process.env.NODE_OPTIONS;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    void closeStages().finally(() => process.exit(130));
  });
}

const began = performance.now();
const say = (text: string) => console.error(`[${((performance.now() - began) / 1000).toFixed(0)} s] ${text}`);

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await closeStages();
}
// A timer or a socket that is left must not keep a finished run alive.
process.exit();

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) return;
  if (options.profile) return console.log(await profileCli());
  const machine = describeMachine();
  const peers = installPeers(say);
  const others: number[] = [];
  const troubles: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    await work().catch((error: Error) => {
      troubles.push(`${what}: ${error.message.replaceAll(root, "").slice(0, 500)}`);
      say(`FAILED ${what}: ${error.message}`);
      process.exitCode = 1;
    });
  };
  const plan: Plan = {
    quick: options.quick,
    rounds: (full) => (options.quick ? 1 : options.short ? Math.ceil(full / 2) : full),
    contenders: listContenders(peers, options.peers),
    peers,
    say,
    attempt,
  };
  const sections: Section[] = [];
  const results = (): Results => {
    const { versions } = peers;
    const verdicts = judgeTargets(sections);
    return { machine, versions, quick: options.quick, sections, others, troubles, verdicts };
  };
  for (const name of options.only) {
    await attempt(name, async () => {
      const share = await measureOthers();
      others.push(share);
      if (share > bearable) {
        say(
          `WARNING: other work takes ${(share * 100).toFixed(0)} % of the processors: the times of ${name} tell nothing`,
        );
      }
      const section = await scenarios[name](plan);
      sections.push(section);
      for (const table of section.tables)
        console.log(`\n${section.title}: ${table.title}\n${renderTable(table)}`);
      // After every scenario, so that a run which is interrupted was not in vain.
      if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results(), null, 1)}\n`);
      if (options.publish) publish(results());
    });
  }
  console.log(renderVerdicts(judgeTargets(sections)));
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

function publish(results: Results): void {
  const folder = join(root, "bench");
  const charts = drawCharts(results.sections);
  rmSync(join(folder, "charts"), { recursive: true, force: true });
  mkdirSync(join(folder, "charts"), { recursive: true });
  for (const [file, svg] of charts) writeFileSync(join(folder, "charts", file), svg);
  writeFileSync(join(folder, "RESULTS.md"), renderMarkdown(results, [...charts.keys()]));
}
