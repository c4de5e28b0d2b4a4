/** Sockets from launchd, which hands them over through a C function only. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { CannotStart } from "./cannot-start.js";

/** What is used of koffi, which is installed by whoever needs it. */
interface Koffi {
  load(library: string | null): { func(signature: string): (...args: unknown[]) => unknown };
  array(type: string, length: number): unknown;
  decode(pointer: unknown, type: unknown): ArrayLike<number>;
}

/** The descriptors that launchd opened for the key `name` of the plist's Sockets dictionary. */
export function activateSocket(name: string): number[] {
  const koffi = loadKoffi();
  const system = koffi.load(null);
  const activate = system.func(
    "int launch_activate_socket(const char *name, _Out_ void **fds, _Out_ size_t *cnt)",
  );
  const fds: unknown[] = [null];
  const count: (number | bigint | null)[] = [null];
  const code = activate(name, fds, count);
  if (code !== 0) {
    throw new CannotStart(`launchd gave no socket for "${name}" (error ${code})`);
  }
  const numbers = Array.from(koffi.decode(fds[0], koffi.array("int", Number(count[0]))));
  system.func("void free(void *memory)")(fds[0]);
  return numbers;
}

function loadKoffi(): Koffi {
  try {
    return createRequire(join(import.meta.dirname, "naught.cjs"))("koffi") as Koffi;
  } catch {
    throw new CannotStart("--launchd-socket needs the package koffi: npm install koffi");
  }
}
