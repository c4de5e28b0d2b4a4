/** Sockets from launchd, which hands them over through a C function only. */
import { loadKoffi } from "../koffi.js";
import { CannotStart } from "./cannot-start.js";
import { UsageError } from "./usage-error.js";

/** Gives the descriptors that launchd opened for the key `name` of the plist's Sockets dictionary. */
export type Launchd = (name: string) => number[];

/** Throws a UsageError where there is no launchd, and a CannotStart where it cannot be called. */
export function openLaunchd(): Launchd {
  const koffi = loadKoffi();
  if (!koffi && process.platform === "darwin")
    throw new CannotStart("--launchd-socket needs the package koffi: npm install koffi");
  const system = koffi?.load(null);
  const activate = attempt(() =>
    system?.func("int launch_activate_socket(const char *name, _Out_ void **fds, _Out_ size_t *cnt)"),
  );
  // Asked for rather than the platform: where the function is, it works.
  if (!koffi || !system || !activate) throw new UsageError("--launchd-socket works on macOS only");
  return (name) => {
    const fds: unknown[] = [null];
    const count: (number | bigint | null)[] = [null];
    const code = activate(name, fds, count);
    if (code !== 0) throw new CannotStart(`launchd gave no socket for "${name}": ${explain(code)}`);
    const numbers = Array.from(koffi.decode(fds[0], koffi.array("int", Number(count[0]))));
    system.func("void free(void *memory)")(fds[0]);
    if (numbers.length === 0) throw new CannotStart(`launchd gave no socket for "${name}"`);
    return numbers;
  };
}

function attempt<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}

// launch_activate_socket(3)
function explain(code: unknown): string {
  if (code === 2) return "the plist has no such key in its Sockets dictionary";
  if (code === 3) return "naught was not started by launchd";
  if (code === alreadyActivated) return "it has been handed out already";
  return `error ${code}`;
}

/** EALREADY, as macOS numbers it. */
const alreadyActivated = 37;
