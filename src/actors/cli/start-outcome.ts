/** How a start can end, whichever process the daemon lives in. */
import { NaughtError } from "../../protocol/errors.js";
import type { Start, Started } from "../../protocol/types.js";
import type { DaemonPeer } from "./reach.js";

export type StartOutcome =
  | { readonly kind: "answered"; readonly started: Started }
  /** The daemon refused. */
  | { readonly kind: "refused"; readonly error: Error }
  /** The daemon ended without an answer. */
  | { readonly kind: "ended"; readonly why: string }
  | { readonly kind: "rolled back" }
  /** The user did not want to wait for the roll back. */
  | { readonly kind: "left"; readonly pid: number | undefined };

/** Undefined: the connection was lost before the answer came. */
export async function requestStart({ client }: DaemonPeer, start: Start): Promise<StartOutcome | undefined> {
  try {
    return { kind: "answered", started: await client.start(start) };
  } catch (error) {
    if (error instanceof NaughtError && error.kind === "Lost") return undefined;
    return { kind: "refused", error: error as Error };
  }
}

export function isReady(outcome: StartOutcome): boolean {
  return outcome.kind === "answered" && outcome.started.outcome === "ready";
}
