/** Who this daemon is, for `hello` and `status`. */
import { now } from "../../clock.js";
import { Daemon } from "../../protocol/daemon.js";
import type { Hello, Versions } from "../../protocol/types.js";
import { protocolVersion, version } from "../../version.js";
import { readHostId } from "../host-id.js";

/** What cannot be told from the methods alone. The section Versions of protocol.md explains each. */
const features = ["batch", "cancel", "deploy-id", "watch-since"];
const methods = [...Object.keys(Daemon.methods).map((name) => `${Daemon.actor}/${name}`), "rpc.discover"];

export const versions: Versions = { naught: version, protocol: protocolVersion, node: process.version };

export interface Identity {
  /** Names this daemon's life. */
  readonly run: string;
  /** In seconds. */
  readonly uptime: number;
  hello(master: number | undefined): Hello;
}

/** `run` where this daemon goes on with the events of another. */
export function createIdentity(run: string): Identity {
  const began = now();
  const measure = (): number => (now() - began) / 1000;
  return {
    run,
    get uptime() {
      return measure();
    },
    hello: (master) => ({
      version,
      protocol: protocolVersion,
      pid: process.pid,
      ...(master === undefined ? {} : { master }),
      uptime: measure(),
      methods,
      features,
      hostId: readHostId(),
      run,
    }),
  };
}
