/** What /proc says about processes: their memory, descriptors and processor time. */
import { readdirSync, readFileSync } from "node:fs";

/** Memory that nobody shares, in MB: what would be free if the process were gone. */
export function readPrivateMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const kb = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
  return (kb("Private_Clean") + kb("Private_Dirty")) / 1024;
}

/** The most memory that it ever had resident, in MB. */
export function readPeakMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
}

export function countDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Seconds of processor time that a process has used, and its ended children with it if so asked. */
export function readCpuSeconds(pid: number, children: "own" | "withChildren"): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in brackets, may have spaces; utime is the 14th field, the 12th behind it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const from = fields.slice(11, children === "own" ? 13 : 15);
    return from.reduce((sum, each) => sum + Number(each), 0) / ticksPerSecond;
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}

/** USER_HZ is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** The children of a process, oldest first. */
export function listChildren(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return Number(parent) === pid && state !== "Z";
      } catch {
        return false;
      }
    })
    .map(Number)
    .sort((a, b) => a - b);
}
