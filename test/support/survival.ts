/** A naught whose processes are killed: how it is seen from outside, and how long until it is whole again. */

import { connect } from "../../src/client/client.js";
import type { Status } from "../../src/protocol/types.js";
import type { Naught } from "./naught.js";
import { until } from "./wait.js";

/** The status, or undefined while nobody answers. */
export async function askStatus(naught: Naught): Promise<Status | undefined> {
  try {
    const client = await connect(naught.path("naught.ipc"), { attempts: 1, reconnect: false });
    try {
      return await client.status();
    } finally {
      client.close();
    }
  } catch {
    return undefined;
  }
}

/** Resolves with the status as soon as `isWhole` says so of it. */
export function awaitStatus(
  naught: Naught,
  what: string,
  isWhole: (status: Status) => boolean,
  ms = 30_000,
): Promise<Status> {
  let last: Status | undefined;
  return until(
    what,
    async () => {
      last = await askStatus(naught);
      return last !== undefined && isWhole(last) && last;
    },
    ms,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; the last status: ${JSON.stringify(last)}`, { cause: error });
  });
}

export function isWhole({ phase, workers }: Status, count: number): boolean {
  const online = workers.filter(({ status, stray }) => status === "online" && !stray);
  return phase === "online" && online.length === count;
}

/** Whole, and nobody is left of what was before. */
export function isSettled(status: Status, count: number): boolean {
  return isWhole(status, count) && status.workers.length === count;
}
