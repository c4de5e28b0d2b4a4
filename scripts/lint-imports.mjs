// Holds three rules of the architecture that the linter cannot: the protocol knows no actor, the pure core imports
// nothing but types, save for other files of the pure core, and time is read from src/clock.ts.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const pure = [
  "src/actors/master/pool",
  "src/actors/daemon/machine.ts",
  "src/actors/daemon/life.ts",
  "src/actors/daemon/stop.ts",
  "src/actors/daemon/deploys.ts",
  "src/actors/daemon/obstacle.ts",
  "src/actors/daemon/memory.ts",
  "src/actors/daemon/pool-view.ts",
  "src/actors/daemon/report.ts",
  "src/actors/daemon/watchers.ts",
  "src/actors/daemon/turn.ts",
  "src/actors/daemon/heritage.ts",
  "src/actors/daemon/state.ts",
  "src/actors/daemon/strays.ts",
  "src/actors/daemon/known-workers.ts",
  "src/actors/daemon/lifelines.ts",
  "src/actors/daemon/notify.ts",
  "src/actors/worker/despair.ts",
  "src/actors/worker/drain.ts",
  "src/actors/master/memory.ts",
  "src/actors/master/succession.ts",
  "src/actors/silence.ts",
  "src/client/sequel.ts",
  "src/actors/event-line.ts",
  "src/actors/span.ts",
].map((path) => resolve(path));

const isPure = (path) => pure.some((each) => path === each || path.startsWith(`${each}/`));
const list = (folder) =>
  readdirSync(folder, { recursive: true })
    .map((name) => resolve(folder, name))
    .filter((path) => path.endsWith(".ts") && statSync(path).isFile());

const complaints = [];
for (const path of pure)
  if (!statSync(path, { throwIfNoEntry: false })) complaints.push(`${path}: listed as pure, but not there`);
for (const path of list("src")) {
  if (/\bperformance\.now\(/.test(readFileSync(path, "utf8").replaceAll(/^ *(\/\*\*|\*|\/\/).*$/gm, ""))) {
    complaints.push(
      `${relative(".", path)}: time is read from src/clock.ts, because performance costs each process`,
    );
  }
  for (const [, typeOnly, from] of readFileSync(path, "utf8").matchAll(
    /^(?:import|export) (type )?(?:[^;]*?)from "([^"]+)";/gms,
  )) {
    const target = from.startsWith(".") ? join(dirname(path), from.replace(/\.js$/, ".ts")) : from;
    const here = relative(".", path);
    if (here.startsWith("src/protocol/") && target.includes("/src/actors/")) {
      complaints.push(`${here}: the protocol must not import an actor (${from})`);
    }
    if (isPure(path) && !typeOnly && !isPure(target)) {
      complaints.push(`${here}: the pure core imports only types (${from})`);
    }
  }
}
for (const complaint of complaints) console.error(complaint);
process.exitCode = complaints.length > 0 ? 1 : 0;
