/** The record of who holds an ipc file. */
import { readFileSync } from "node:fs";

export interface Owner {
  readonly pid: number;
  /** In clock ticks after boot; "" where it cannot be told. */
  readonly startTime: string;
  readonly bootId: string;
  readonly hostname: string;
}

export function ownerFile(ipcFile: string): string {
  return `${ipcFile}.owner`;
}

/** Null where there is no record, or none that can be read. */
export function readOwner(path: string): Owner | null {
  try {
    const owner = JSON.parse(readFileSync(path, "utf8")) as Partial<Owner>;
    const { pid, startTime, bootId, hostname: host } = owner;
    if (typeof pid !== "number" || typeof startTime !== "string") return null;
    return { pid, startTime, bootId: String(bootId), hostname: String(host) };
  } catch {
    return null;
  }
}
