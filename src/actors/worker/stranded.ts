/** A worker whose master is gone goes on serving, where node:cluster would end it. */
import cluster from "node:cluster";
import { clearInterval, setInterval } from "node:timers";

export interface Stranding {
  readonly isStranded: boolean;
  /** The application was told to go: a process with nothing left to do may end. */
  release(): void;
}

export function outliveMaster(): Stranding {
  let isStranded = false;
  let isReleased = false;
  let hold: NodeJS.Timeout | undefined;
  // Node looks at it right after this event, and ends the process if it is not set.
  cluster.worker?.on("disconnect", () => {
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    isStranded = true;
    // As the channel did.
    if (!isReleased) hold = setInterval(() => {}, 2 ** 30);
  });
  return {
    get isStranded() {
      return isStranded;
    },
    release() {
      isReleased = true;
      clearInterval(hold);
    },
  };
}
