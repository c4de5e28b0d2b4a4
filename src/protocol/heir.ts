/** The hop between a worker that has lost daemon and master, and the daemon that it starts. */
import typia from "typia";
import { contract, request } from "./contract.js";
import type { Empty, Inheritance, SocketRef } from "./types.js";

/** What a worker needs to start a daemon, when daemon and master are both gone. */
export const HeirHost = contract("host", {
  give: request(typia.createValidate<SocketRef>(), typia.createValidate<Empty>(), { handle: "in" }),
  inherit: request(typia.createValidate<Inheritance>(), typia.createValidate<Empty>()),
});
