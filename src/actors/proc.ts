/** What /proc tells of a process on Linux. */
import { readFileSync } from "node:fs";

export interface ProcessLook {
  /** `Z` is a zombie, `T` a stopped process. */
  readonly state: string;
  /** In clock ticks after boot: another process with the same number began at another time. */
  readonly startTime: string;
}

/** proc(5): fields 3 and 22 of /proc/PID/stat, counted after the command's name, which may contain anything. Null: not there. */
export function readProcess(pid: number): ProcessLook | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", startTime: fields[19] ?? "" };
  } catch {
    return null;
  }
}

/** Whether the process that began at `startTime` ("": nobody knows) is still there. A zombie is not. */
export function isSameProcess(pid: number, startTime: string): boolean {
  // Not a process, but a group.
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const now = readProcess(pid);
  // Where there is no /proc, the number is all that is known.
  if (!now) return process.platform !== "linux";
  return now.state !== "Z" && now.state !== "X" && (startTime === "" || now.startTime === startTime);
}
