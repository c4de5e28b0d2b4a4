/**
 * `--profile`: where the time of a program's start goes, as V8 samples it. The profiles stay in build/bench-profile, to be opened in the developer tools.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { program } from "../test/support/naught.js";
import { root } from "../test/support/servers.js";
import { servers } from "./contenders/cluster.js";
import { withService } from "./contenders/company.js";
import { naught } from "./contenders/naught.js";
import type { ProfileName } from "./options.js";

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const runs = 10;

export async function profileProgram(name: ProfileName): Promise<string> {
  const folder = join(root, "build/bench-profile");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const flags = ["--cpu-prof", "--cpu-prof-interval=100", `--cpu-prof-dir=${folder}`];
  const app = { script: join(servers, "app.cjs"), workers: 2 };
  switch (name) {
    case "cli":
      await withService(naught(program), app, {}, async (_service, stage) => {
        for (let count = 0; count < runs; count += 1) {
          await stage.run({ file: process.execPath, args: [...flags, program, "status"] });
        }
      });
      break;
    case "start":
      // Command, daemon, master and workers alike: whatever is started below writes a profile of its own.
      for (let count = 0; count < runs; count += 1) {
        const env = { NODE_OPTIONS: flags.join(" ") };
        await withService(naught(program), app, env, async (_service, stage) => {
          await stage.run({ file: process.execPath, args: [program, "stop"] });
        });
      }
      break;
    case "worker": {
      const options = ["--node-args", flags.join(" ")];
      for (let count = 0; count < runs; count += 1) {
        await withService(naught(program), { ...app, options }, {}, async (_service, stage) => {
          await stage.run({ file: process.execPath, args: [program, "stop"] });
        });
      }
    }
  }
  const files = readdirSync(folder);
  const times = new Map<string, number>();
  for (const file of files) addTimes(times, JSON.parse(readFileSync(join(folder, file), "utf8")));
  const lines = [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 40)
    .map(([what, us]) => `${(us / 1000 / files.length).toFixed(2).padStart(8)} ms  ${what}`);
  const head = `own time, mean of ${files.length} processes; profiles in ${relative(process.cwd(), folder)}`;
  return [head, ...lines].join("\n");
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
