/**
 * Logs by the gigabyte: workers that print as fast as they can, rotation and compression, and then a look at every line,
 * archives included: none may be lost, torn, doubled, or out of its worker's order. Tells how fast it went, what daemon and
 * master used, and the daemon's descriptors before and after. The exit status is 1 when a line is wrong, or when the two
 * took more than 100 MB at their peak. It needs about an eighth of that much room among the temporary files.
 * Usage: `npm run soak:logs -- [--gigabytes 2] [--workers 4] [--max-log-size 10485760]`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { checkLog } from "../test/support/log-check.js";
import { listArchives } from "../test/support/log-files.js";
import { e2e, type Naught } from "../test/support/naught.js";
import { countDescriptors } from "../test/support/processes.js";
import { server } from "../test/support/servers.js";
import { findMaster } from "../test/support/tree.js";
import { until } from "../test/support/wait.js";

const { values } = parseArgs({
  options: {
    gigabytes: { type: "string", default: "2" },
    workers: { type: "string", default: "4" },
    "max-log-size": { type: "string", default: "10485760" },
  },
});
const [gigabytes, workers] = [Number(values.gigabytes), Number(values.workers)];
const allowed = 100 * 2 ** 20;
const patience = 120_000 + gigabytes * 300_000;

interface Flood {
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

async function soak(naught: Naught): Promise<void> {
  const size = values["max-log-size"];
  const options = ["--worker-count", String(workers), "--max-log-size", size, "--max-log-files", "none"];
  const env = { BYTES: String(Math.ceil((gigabytes * 1e9) / workers)) };
  await naught.succeed(["start", ...options, server("flood.cjs")], { env });
  const [daemon, master] = [naught.daemon(), await findMaster(naught)];
  const before = countDescriptors(daemon);
  const floods = await until("all that is to be printed", () => readFloods(naught), patience);
  const [after, peaks] = [countDescriptors(daemon), [readPeak(daemon), readPeak(master)]];
  const began = performance.now();
  await naught.succeed(["stop"], { timeout: patience });
  const stopping = performance.now() - began;
  const file = naught.path("stdout.log");
  const archives = await listArchives(file);
  const { bytes, counts } = await checkLog(file);
  for (const [pid, { count }] of floods)
    if (counts.get(pid) !== count) throw new Error(`${counts.get(pid)} of ${count} lines of ${pid}`);
  if (counts.size !== workers) throw new Error(`lines of ${counts.size} workers`);
  const times = [...floods.values()];
  const seconds =
    (Math.max(...times.map(({ to }) => to)) - Math.min(...times.map(({ from }) => from))) / 1000;
  const lines = times.reduce((sum, { count }) => sum + count, 0);
  console.log(
    [
      `${mega(bytes)} in ${lines} lines of ${workers} workers: every one is there, once, whole and in order`,
      `${(bytes / 1e6 / seconds).toFixed(0)} MB/s for ${seconds.toFixed(1)} s; then ${(stopping / 1000).toFixed(1)} s to stop`,
      `${archives.length} archives, ${archives.filter((name) => name.endsWith(".gz")).length} of them compressed`,
      `peak memory: daemon ${mega(peaks[0] ?? 0)}, master ${mega(peaks[1] ?? 0)}`,
      `descriptors of the daemon: ${before} at first, ${after} at last`,
    ].join("\n"),
  );
  if (peaks.reduce((sum, each) => sum + each, 0) <= allowed) return;
  console.log(`daemon and master took more than ${mega(allowed)} together`);
  process.exitCode = 1;
}

/** By process id, once all workers have printed everything. */
function readFloods(naught: Naught): Map<string, Flood> | undefined {
  const names = readdirSync(naught.dir).filter(
    (name) => name.startsWith("flooded-") && naught.read(name) !== "",
  );
  if (names.length < workers) return undefined;
  return new Map(
    names.map((name) => [name.slice("flooded-".length), JSON.parse(naught.read(name)) as Flood]),
  );
}

/** The most memory that a process has had, in bytes. */
function readPeak(pid: number): number {
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

function mega(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

await e2e(soak, 2 * patience)();
