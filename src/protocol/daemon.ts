/** What the daemon offers to the command line and to any other client. */
import typia from "typia";
import { contract, request } from "./contract.js";
import type {
  AbortDeploy,
  Deploy,
  DeployRef,
  DrainTimes,
  Empty,
  Hello,
  Lifeline,
  LogsPage,
  ReadLogs,
  Settled,
  Start,
  Started,
  Status,
  Stop,
  Watch,
  Watched,
} from "./types.js";

export const Daemon = contract("daemon", {
  /** Says who answers. */
  hello: request(typia.createValidate<Empty>(), typia.createValidate<Hello>()),
  /** Starts the server; settles when every worker is online, or the start has failed. Only on the channel of the process that spawned the daemon. */
  start: request(typia.createValidate<Start>(), typia.createValidate<Started>()),
  /** Says what state the server and each worker is in. */
  status: request(typia.createValidate<Empty>(), typia.createValidate<Status>()),
  /** Replaces every worker; settles when the last old one is gone, or the deploy has failed. */
  deploy: request(typia.createValidate<Deploy>(), typia.createValidate<Settled>()),
  /** Waits for a deploy that is in flight, or has just ended, and tells how it ended. */
  attachDeploy: request(typia.createValidate<DeployRef>(), typia.createValidate<Settled>()),
  /** Aborts the deploy in flight; settles as that deploy does. */
  abortDeploy: request(typia.createValidate<AbortDeploy>(), typia.createValidate<Settled>()),
  /** Stops the server; settles when no worker, no file and no socket is left. A second call joins the first and may shorten it. */
  stop: request(typia.createValidate<Stop>(), typia.createValidate<Empty>()),
  /** Reads a page of a log; a client that follows one asks for the next page at once, with `cursor` and `wait`. */
  logs: request(typia.createValidate<ReadLogs>(), typia.createValidate<LogsPage>()),
  /** Opens every log file anew, as after a rotation by somebody else. */
  reopenLogs: request(typia.createValidate<Empty>(), typia.createValidate<Empty>()),
  /** From now on every event is sent to this connection; with `since`, those after it come first, before the answer. */
  watch: request(typia.createValidate<Watch>(), typia.createValidate<Watched>()),
  /** For workers only: settles when the worker, whose master is gone, is to leave; says how. */
  lifeline: request(typia.createValidate<Lifeline>(), typia.createValidate<DrainTimes>()),
});
