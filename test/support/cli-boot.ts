/** A daemon's part in a start, as the tests of the command line play it. */
import type { NaughtError } from "../../src/protocol/errors.js";
import type { Start, Started } from "../../src/protocol/types.js";
import { type Connection, noCounts, type Script } from "./cli-stage.js";

export const ready: Started = { outcome: "ready", counts: { ...noCounts, online: 2 } };
export const bootLines = [
  "Bootup. booting: 0, online: 0, dying: 0, new_online: 0",
  "SpawnNew. booting: 1, online: 0, dying: 0, new_online: 0",
  "",
].join("\n");

export function boot({ event }: Connection): void {
  event("Bootup");
  event("SpawnNew", { booting: 1 });
}

/** As the daemon does it: what a refused or failed daemon has still to do is to end. */
export function answer(result: Started | NaughtError, started: Start[] = []): Script {
  return (connection) => ({
    start: async (start) => {
      started.push(start);
      boot(connection);
      setTimeout(() => connection.socket.end(), 50);
      if (result instanceof Error) throw result;
      connection.event("Ready", { online: 2 });
      return result;
    },
    watch: () => ({}),
  });
}
