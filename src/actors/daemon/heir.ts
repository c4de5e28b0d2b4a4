/**
 * The heir: a daemon that follows one which has died. A master has started it, gives it the listening sockets one by one
 * and then everything else; only then can anybody reach it.
 */
import type { CallContext, Handlers } from "../../protocol/contract.js";
import { NaughtError } from "../../protocol/errors.js";
import type { Host } from "../../protocol/master.js";
import type { Inheritance } from "../../protocol/types.js";
import type { SocketHandle } from "../node-internals.js";

export interface Estate extends Inheritance {
  readonly handles: ReadonlyMap<string, SocketHandle>;
}

type Inheriting = Pick<Handlers<typeof Host>, "give" | "inherit">;

/** `take` settles when the daemon can be reached. */
export function inheritOnce(take: (estate: Estate) => Promise<void>): Inheriting {
  const handles = new Map<string, SocketHandle>();
  return {
    give({ key }, { handle }: CallContext) {
      if (handle) handles.set(key, handle as SocketHandle);
      return {};
    },
    async inherit(inheritance) {
      await take({ ...inheritance, handles });
      return {};
    },
  };
}

/** Nothing is left to a daemon that was started by a command. */
export const inheritNothing: Inheriting = {
  give: refuse,
  inherit: refuse,
};

function refuse(): never {
  throw new NaughtError("NotAllowed", "this daemon was not started to follow another one");
}
