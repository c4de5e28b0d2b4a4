/** Where a master writes down for its worker how to find the daemon; the worker removes it before the application runs. */
import type { LifelineTerms, WorkerRef } from "../protocol/types.js";

export const lifelineVariable = "NAUGHT_LIFELINE";

/** As JSON. */
export interface LifelineNote extends LifelineTerms {
  readonly worker: Omit<WorkerRef, "pid">;
}
