/** File systems for one test, which may be full or read-only. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { unlessCi } from "./installed.js";
import type { Naught } from "./naught.js";

/** Why nothing can be mounted here. */
export function findMountObstacle(): string | false {
  const { status } = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
  return unlessCi(status === 0 ? false : "may not mount");
}

/** Mounts an empty file system of so many bytes in the test's directory, and returns its path. */
export function mountDisk(naught: Naught, name: string, bytes: number): string {
  const path = naught.path(name);
  mkdirSync(path, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", path]);
  naught.defer(() => unmount(path));
  return path;
}

/** Whoever looks for this directory from now on finds it read-only; returns what makes it as it was. */
export function makeReadOnly(naught: Naught, path: string): () => void {
  const view = `${path}-read-only`;
  mkdirSync(view);
  execFileSync("mount", ["--bind", path, view]);
  naught.defer(() => unmount(view));
  // There, where nobody writes; over the directory itself it has to be so from the beginning.
  execFileSync("mount", ["-o", "remount,bind,ro", view]);
  execFileSync("mount", ["--bind", view, path]);
  let isMounted = true;
  const undo = (): void => {
    if (isMounted) unmount(path);
    isMounted = false;
  };
  naught.defer(undo);
  return undo;
}

/** At once, also when processes are left that hold it. */
function unmount(path: string): void {
  execFileSync("umount", ["--lazy", path]);
}
