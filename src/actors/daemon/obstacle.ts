/** Why the server cannot take a request. Pure. */
import type { Daemon, Refusal } from "./state.js";

/** Null if it can. */
export function findObstacle({ life, master }: Daemon): Refusal | null {
  if (life === "empty") return { error: "NotStarted" };
  if (life === "opening") return { error: "StillBooting" };
  if (life !== "running") return { error: "ShuttingDown" };
  return master === "alive"
    ? null
    : { error: "MasterLost", message: "the master process died and is being started again" };
}
