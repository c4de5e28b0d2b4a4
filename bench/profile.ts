/** `--profile cli`: where the time of `naught status` goes, as V8 samples it; the same again at every run. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { program } from "../test/support/naught.js";
import { root } from "../test/support/servers.js";
import { servers } from "./contenders/cluster.js";
import { withService } from "./contenders/company.js";
import { naught } from "./contenders/naught.js";

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const runs = 10;

export async function profileCli(): Promise<string> {
  const folder = join(root, "build/bench-profile");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const app = { script: join(servers, "app.cjs"), workers: 2 };
  await withService(naught(program), app, {}, async (_service, stage) => {
    const flags = ["--cpu-prof", "--cpu-prof-interval", "100", "--cpu-prof-dir", folder];
    for (let count = 0; count < runs; count += 1) {
      await stage.run({ file: process.execPath, args: [...flags, program, "status"] });
    }
  });
  const times = new Map<string, number>();
  for (const file of readdirSync(folder))
    addTimes(times, JSON.parse(readFileSync(join(folder, file), "utf8")));
  const lines = [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 30)
    .map(([name, us]) => `${(us / 1000 / runs).toFixed(2).padStart(8)} ms  ${name}`);
  return [`own time, mean of ${runs} runs; profiles in ${relative(process.cwd(), folder)}`, ...lines].join(
    "\n",
  );
}

function addTimes(times: Map<string, number>, profile: Profile): void {
  const names = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const file = url.split("/").slice(-2).join("/");
      return [id, `${functionName || "(top level)"} ${file}${file ? `:${lineNumber + 1}` : ""}`];
    }),
  );
  profile.samples.forEach((id, index) => {
    const name = names.get(id) ?? "?";
    times.set(name, (times.get(name) ?? 0) + (profile.timeDeltas[index] ?? 0));
  });
}
