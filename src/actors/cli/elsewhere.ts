/** Whether a daemon lives on another machine, also when it is reached through what looks like a socket on this one. */
import type { Hello } from "../../protocol/types.js";
import { readHostId } from "../host-id.js";
import { isError } from "./failure.js";
import type { DaemonPeer } from "./reach.js";

/** Undefined where the daemon does not say who it is. */
export async function greet({ client }: DaemonPeer): Promise<Hello | undefined> {
  try {
    return await client.hello({});
  } catch (error) {
    if (isError(error, "Lost")) throw error;
    return undefined;
  }
}

export function isElsewhere(hello: Hello | undefined): boolean {
  return hello?.hostId !== undefined && hello.hostId !== readHostId();
}
