/** Which machine this is, and which of its boots: a client tells by it whether a daemon shares its files and environment. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

let known: string | undefined;

/** The same for every process on this machine until its next boot. A hash, because a machine's own id is not for others. */
export function readHostId(): string {
  known ??= findHostId();
  return known;
}

function findHostId(): string {
  const boot = read("/proc/sys/kernel/random/boot_id");
  // Without /proc the name must do, which is left out otherwise: it may change at any time.
  const parts = boot === "" ? [hostname()] : [boot, read("/etc/machine-id")];
  return createHash("sha256")
    .update(["naught", ...parts].join("\n"))
    .digest("hex")
    .slice(0, 32);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
