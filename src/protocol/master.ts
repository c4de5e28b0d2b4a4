/** The hop between daemon and master: Master is what the master offers, Host what the daemon offers to it. */
import typia from "typia";
import { contract, notification, request } from "./contract.js";
import type {
  AbortDeploy,
  DeployRef,
  Empty,
  GenerationRef,
  HostListen,
  HostUnlisten,
  Inheritance,
  Keep,
  Listened,
  MasterAdopt,
  MasterDeploy,
  MasterDisown,
  MasterSettled,
  MasterStart,
  MasterStarted,
  Output,
  PoolChange,
  PoolEvent,
  Serving,
  SocketRef,
  Status,
  Stop,
  Waiting,
} from "./types.js";

export const Master = contract("master", {
  /** Forks the first generation; settles when it serves, or could not. */
  start: request(typia.createValidate<MasterStart>(), typia.createValidate<MasterStarted>()),
  /** Answers at once: the master is alive, and does not hang. */
  ping: request(typia.createValidate<Empty>(), typia.createValidate<Empty>()),
  /** Says what every worker is doing. */
  status: request(typia.createValidate<Empty>(), typia.createValidate<Status>()),
  /** Replaces every worker. */
  deploy: request(typia.createValidate<MasterDeploy>(), typia.createValidate<MasterSettled>()),
  /** Waits for a deploy that is in flight or has just ended. */
  attachDeploy: request(typia.createValidate<DeployRef>(), typia.createValidate<MasterSettled>()),
  /** Aborts the deploy in flight. */
  abortDeploy: request(typia.createValidate<AbortDeploy>(), typia.createValidate<MasterSettled>()),
  /** Retires every worker; settles when the last one is gone, and the master ends. */
  stop: request(typia.createValidate<Stop>(), typia.createValidate<Empty>()),
  /** The workers of a coming generation are to accept at once, because nobody else does any more. */
  serve: notification(typia.createValidate<GenerationRef>()),
  /** A worker is to accept from one more socket: that of a slot which has no worker now. */
  adopt: request(typia.createValidate<MasterAdopt>(), typia.createValidate<Empty>(), { handle: "in" }),
  /** A worker is to close a socket that it adopted. */
  disown: notification(typia.createValidate<MasterDisown>()),
  /** What is to be remembered for the next daemon. */
  keep: notification(typia.createValidate<Keep>()),
  /** An unused copy of a listening socket, for the next daemon. */
  hold: request(typia.createValidate<SocketRef>(), typia.createValidate<Empty>(), { handle: "in" }),
  /** The daemon is there. */
  beat: notification(typia.createValidate<Empty>()),
  /** The daemon is giving a socket up: the master closes its copy, and then says so. */
  release: request(typia.createValidate<SocketRef>(), typia.createValidate<Empty>()),
});

export const Host = contract("host", {
  /** Something happened in the pool. */
  event: notification(typia.createValidate<PoolEvent>()),
  /** The pool is different: told before the event that goes with it. */
  change: notification(typia.createValidate<PoolChange>()),
  /** A generation took over. */
  serving: notification(typia.createValidate<Serving>()),
  /** The workers that calls in flight wait for. */
  waiting: notification(typia.createValidate<Waiting>()),
  /** Hands over a worker's output; settles when all of it was read and written. A pipe may be told of again. */
  output: request(typia.createValidate<Output>(), typia.createValidate<Empty>(), { handle: "in" }),
  /** Answers at once: everything that was sent before has come. */
  sync: request(typia.createValidate<Empty>(), typia.createValidate<Empty>()),
  /** Asks for a listening socket, which the daemon binds once and keeps. */
  listen: request(typia.createValidate<HostListen>(), typia.createValidate<Listened>(), { handle: "out" }),
  /** For a daemon that follows one which has died: one of its listening sockets. */
  give: request(typia.createValidate<SocketRef>(), typia.createValidate<Empty>(), { handle: "in" }),
  /** All sockets are given, and this is the rest: settles when the new daemon can be reached. */
  inherit: request(typia.createValidate<Inheritance>(), typia.createValidate<Empty>()),
  /** The master is there. */
  beat: notification(typia.createValidate<Empty>()),
  /** A worker has closed a socket. */
  unlisten: notification(typia.createValidate<HostUnlisten>()),
  /** This Node has no place where a worker could be given the daemon's sockets: it has node:cluster's. */
  native: notification(typia.createValidate<Empty>()),
});
