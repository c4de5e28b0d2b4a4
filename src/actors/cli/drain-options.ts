/** The options by which one command changes how workers that go are given time. */
import type { DrainChanges } from "../../protocol/types.js";
import type { Option } from "./option.js";
import { seconds, timeout } from "./value-types.js";

export const drainChanges = {
  "drain-grace": {
    type: seconds,
    unset: "(as at the start)",
    help: "For this command: how long idle keep-alive connections stay open.",
  },
  "drain-timeout": {
    type: seconds,
    unset: "(as at the start)",
    help: "For this command: how long responses in flight are waited for.",
  },
  "shutdown-timeout": {
    type: timeout,
    unset: "(as at the start)",
    help: "For this command: seconds from `shutdown` until a worker is killed.",
  },
} as const satisfies Record<string, Option>;

interface Chosen {
  readonly "drain-grace": number | undefined;
  readonly "drain-timeout": number | undefined;
  /** Null for none. */
  readonly "shutdown-timeout": number | null | undefined;
}

/** What is sent of them: nothing when none was given. */
export function buildDrain(chosen: Chosen): { drain?: DrainChanges } {
  const { "drain-grace": grace, "drain-timeout": drainTimeout, "shutdown-timeout": kill } = chosen;
  const drain = {
    ...(grace === undefined ? {} : { grace }),
    ...(drainTimeout === undefined ? {} : { timeout: drainTimeout }),
    ...(kill === undefined ? {} : { kill }),
  };
  return Object.keys(drain).length > 0 ? { drain } : {};
}
