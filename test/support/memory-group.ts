/** A control group with a limit of memory, for processes that run already. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const version1 = "/sys/fs/cgroup/memory";
const version2 = "/sys/fs/cgroup";

/** Undefined where none can be made. */
export function makeMemoryGroup(bytes: number): { add(pid: number): void; remove(): void } | undefined {
  const isOld =
    existsSync(join(version1, "memory.limit_in_bytes")) || existsSync(join(version1, "cgroup.procs"));
  const folder = join(isOld ? version1 : version2, `naught-test-${process.pid}`);
  try {
    mkdirSync(folder);
    writeFileSync(join(folder, isOld ? "memory.limit_in_bytes" : "memory.max"), String(bytes));
  } catch {
    if (existsSync(folder)) rmdirSync(folder);
    return undefined;
  }
  return {
    add: (pid) => writeFileSync(join(folder, "cgroup.procs"), String(pid)),
    remove: () => rmdirSync(folder),
  };
}
