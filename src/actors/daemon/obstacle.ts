/** Why the server cannot take a request. Pure. */
import type { Daemon, Refusal } from "./state.js";

/** Null if it can. */
export function findObstacle(state: Daemon): Refusal | null {
  return (
    findRefusal(state) ??
    (state.master === "alive"
      ? null
      : { error: "MasterLost", message: "the master process died and is being started again" })
  );
}

/** Null also while there is no master. */
export function findRefusal({ life }: Daemon): Refusal | null {
  if (life === "empty") return { error: "NotStarted" };
  if (life === "opening") return { error: "StillBooting" };
  return life === "running" ? null : { error: "ShuttingDown" };
}
