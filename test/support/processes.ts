/**
 * The processes of one test, as /proc shows them. They are known by a mark in the environment they were
 * started with, or by their working directory, because a parent may have been robbed of its variables.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export const markName = "E2E_MARK";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly env: ReadonlyMap<string, string>;
}

export interface WorkerProcess {
  readonly pid: number;
  readonly slot: number;
}

export function findProcesses(mark: string, dir: string): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => readProcess(Number(name)))
    .filter((found) => found !== undefined)
    .filter((found) => found.env.get(markName) === mark || isInside(found.pid, dir));
}

/** The app's own children carry the slot of the worker that started them, and are not workers. */
export function pickWorkers(processes: readonly Process[]): WorkerProcess[] {
  const slotted = processes.filter((each) => each.env.has("NAUGHT_WORKER"));
  const pids = new Set(slotted.map((each) => each.pid));
  return slotted
    .filter((each) => !pids.has(each.parent))
    .map((each) => ({ pid: each.pid, slot: Number(each.env.get("NAUGHT_WORKER")) }))
    .sort((a, b) => a.slot - b.slot || a.pid - b.pid);
}

export function countDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** What each open descriptor of a process is, for the message of a test that finds too many. */
export function listDescriptors(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map(
    (fd) => `${fd} ${attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`))}`,
  );
}

export function isAlive(pid: number): boolean {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  return stat !== undefined && stateOf(stat) !== "Z";
}

export function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  attempt(() => process.kill(pid, signal));
}

function readProcess(pid: number): Process | undefined {
  return attempt(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    if (stateOf(stat) === "Z") return undefined;
    return {
      pid,
      parent: Number(afterName(stat).split(" ")[1]),
      command: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim(),
      env: parseEnvironment(readFileSync(`/proc/${pid}/environ`, "utf8")),
    };
  });
}

/** The name comes second, in brackets, and may itself have brackets and spaces in it. */
function afterName(stat: string): string {
  return stat.slice(stat.lastIndexOf(")") + 2);
}

function stateOf(stat: string): string {
  return afterName(stat).slice(0, 1);
}

function parseEnvironment(text: string): Map<string, string> {
  return new Map(
    text
      .split("\0")
      .filter((entry) => entry.includes("="))
      .map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
}

function isInside(pid: number, dir: string): boolean {
  const cwd = attempt(() => readlinkSync(`/proc/${pid}/cwd`))?.replace(/ \(deleted\)$/, "");
  return cwd !== undefined && (cwd === dir || cwd.startsWith(`${dir}/`));
}

/** A process may be gone at any moment between two looks at it, or be somebody else's. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
