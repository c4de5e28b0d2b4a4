/** Sockets from launchd, which hands them over through a C function only. */
import { loadKoffi } from "../koffi.js";
import { CannotStart } from "./cannot-start.js";

/** The descriptors that launchd opened for the key `name` of the plist's Sockets dictionary. */
export function activateSocket(name: string): number[] {
  const koffi = loadKoffi();
  if (!koffi) throw new CannotStart("--launchd-socket needs the package koffi: npm install koffi");
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
