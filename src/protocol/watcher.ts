/** What the daemon tells a client: one that watches, or one whose call is in flight. */
import typia from "typia";
import { contract, notification } from "./contract.js";
import type { NaughtEvent, Notice, Waiting } from "./types.js";

export const Watcher = contract("watcher", {
  /** Something happened. */
  event: notification(typia.createValidate<NaughtEvent>()),
  /** Every 5 seconds while a call is in flight: the workers it waits for. */
  waiting: notification(typia.createValidate<Waiting>()),
  /** Something about the call in flight. */
  notice: notification(typia.createValidate<Notice>()),
});
