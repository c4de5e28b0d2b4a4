/** A small file system in a test's directory, which can be filled and made read-only. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Naught } from "./naught.js";
import { until } from "./wait.js";

export interface Disk {
  /** Until nothing can be written and no file made. */
  fill(): void;
  empty(): void;
  setReadOnly(readOnly: boolean): Promise<boolean>;
}

const options = "size=64k,nr_inodes=24";

/** Why none can be had here. */
export function findDiskObstacle(): string | false {
  const { status } = spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
  return status !== 0 && "nothing can be mounted here";
}

export function mountDisk(naught: Naught, name: string): Disk {
  const at = naught.path(name);
  mkdirSync(at);
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", at]);
  // Lazily: somebody may still be in it.
  naught.defer(() => spawnSync("umount", ["--lazy", at]));
  return {
    fill() {
      for (let size = 4096; size >= 0; size -= 4096) {
        try {
          for (let number = 0; ; number += 1)
            writeFileSync(join(at, `filler-${size}-${number}`), "x".repeat(size));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        }
      }
    },
    empty() {
      for (const each of readdirSync(at)) if (each.startsWith("filler-")) rmSync(join(at, each));
    },
    // It is busy while somebody writes.
    setReadOnly: (readOnly) =>
      until("the disk to be remounted", () => {
        const { status } = spawnSync("mount", ["-o", `remount,${readOnly ? "ro" : "rw"}`, at]);
        return status === 0;
      }),
  };
}
