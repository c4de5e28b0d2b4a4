/** The worker's own way to the daemon, which is there also when no master is. */
import typia from "typia";
import { contract, request } from "./contract.js";
import type { DrainTimes, Lifeline } from "./types.js";

/** What a worker needs of the daemon's contract: all of it would weigh on every worker. */
export const LifelineHost = contract("daemon", {
  lifeline: request(typia.createValidate<Lifeline>(), typia.createValidate<DrainTimes>()),
});

/** Nothing is asked of a worker here: the answer to its call is the order to go. */
export const LifelineGuest = contract("lifeline", {});
