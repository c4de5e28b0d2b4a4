/** What the daemon knows of a worker's death beyond how it ended: its last words, and whether it was memory. */
import { readFileSync } from "node:fs";
import type { PoolEvent } from "../../protocol/types.js";
import type { Outputs } from "./output.js";

/** Milliseconds that everybody else waits for a dead worker's last words: its pipe has them, unless others hold it. */
const patience = 100;
/** Of each dead worker; a thousand events are kept. */
const mostLines = 10;

export interface Deaths {
  /** True for an event that `complete` has something to say about. */
  concerns(event: PoolEvent): boolean;
  complete(event: PoolEvent): Promise<PoolEvent>;
}

export function createDeaths(outputs: Pick<Outputs, "tail">, countKills = countMemoryKills): Deaths {
  let kills = countKills();

  function blameMemory(reason: string, stderr: readonly string[]): string | undefined {
    if (/SIGABRT|SIGTRAP|SIGILL|code 134$/.test(reason)) {
      return stderr.some((line) => /heap out of memory/.test(line))
        ? "its JavaScript heap was full"
        : undefined;
    }
    if (!reason.includes("SIGKILL")) return undefined;
    const before = kills;
    kills = countKills();
    return kills > before ? "by the kernel, for want of memory" : undefined;
  }

  return {
    concerns: ({ death, worker }) => death !== undefined && worker !== undefined && worker.pid !== 0,
    async complete(event) {
      const { death, worker, detail } = event;
      if (!death || !worker) return event;
      const said = await outputs.tail(worker.id, patience);
      const blame = blameMemory(death.reason, said);
      const stderr = said.filter((line) => line.trim() !== "");
      const reason = blame === undefined ? death.reason : `${death.reason} (${blame})`;
      return {
        ...event,
        ...(detail === undefined ? {} : { detail: detail.replace(death.reason, () => reason) }),
        death: { ...death, reason, ...(stderr.length > 0 ? { stderr: stderr.slice(-mostLines) } : {}) },
      };
    },
  };
}

/** How often the kernel has killed for want of memory in this control group; see cgroups(7) and its v1 documents. */
export function countMemoryKills(
  read: (path: string) => string = (path) => readFileSync(path, "utf8"),
): number {
  for (const path of listCounters(attempt(() => read("/proc/self/cgroup")) ?? "")) {
    const count = /^oom_kill (\d+)$/m.exec(attempt(() => read(path)) ?? "");
    if (count) return Number(count[1]);
  }
  return 0;
}

// In a container the group's own path may be mounted as the root.
function listCounters(groups: string): string[] {
  const own = /^0::(.*)$/m.exec(groups)?.[1] ?? "/";
  const legacy = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1] ?? "/";
  return [
    `/sys/fs/cgroup${own}/memory.events`,
    "/sys/fs/cgroup/memory.events",
    `/sys/fs/cgroup/memory${legacy}/memory.oom_control`,
    "/sys/fs/cgroup/memory/memory.oom_control",
  ];
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
