/** The hop between master and worker: Worker is what the worker offers, Supervisor what the master offers to it. */
import typia from "typia";
import { contract, notification, request } from "./contract.js";
import type { Adopt, DrainTimes, Empty, Listen, Listened, Online, Pulse, SocketRef } from "./types.js";

export const Worker = contract("worker", {
  /** Drains the worker's servers, then hands `shutdown` to the application; settles when that is delivered. */
  shutdown: request(typia.createValidate<DrainTimes>(), typia.createValidate<Empty>()),
  /** The worker's generation takes over: accepts from the sockets that were withheld until now; settles when it does. */
  serve: request(typia.createValidate<Empty>(), typia.createValidate<Empty>()),
  /** Says how it is, as soon as its event loop comes to it. */
  ping: request(typia.createValidate<Empty>(), typia.createValidate<Pulse>()),
  /** Accepts from one more socket: that of a slot which has no worker now. */
  adopt: request(typia.createValidate<Adopt>(), typia.createValidate<Empty>(), { handle: "in" }),
  /** Keeps an unused copy of a socket, for the day on which daemon and master are both gone. */
  hold: request(typia.createValidate<SocketRef>(), typia.createValidate<Empty>(), { handle: "in" }),
  /** The daemon is giving a socket up: the worker closes its unused copy, and then says so. */
  release: request(typia.createValidate<SocketRef>(), typia.createValidate<Empty>()),
  /** Closes a socket that was adopted. */
  disown: notification(typia.createValidate<SocketRef>()),
});

export const Supervisor = contract("supervisor", {
  /** The application said `online`. */
  online: request(typia.createValidate<Online>(), typia.createValidate<Empty>()),
  /** The application said `offline`. */
  offline: request(typia.createValidate<Empty>(), typia.createValidate<Empty>()),
  /** A server of the application wants to listen. */
  listen: request(typia.createValidate<Listen>(), typia.createValidate<Listened>(), { handle: "out" }),
  /** A server of the application has closed its socket. */
  unlisten: notification(typia.createValidate<SocketRef>()),
  /** This Node has no place where the daemon's sockets could be put: servers get node:cluster's. */
  native: notification(typia.createValidate<Empty>()),
});
