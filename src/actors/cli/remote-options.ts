/** The options by which a command is carried out on another host. */
import { type Destination, parseDestination } from "../../client/destination.js";
import type { Option } from "./option.js";
import { path, type ValueType } from "./value-types.js";

export const destination: ValueType<Destination> = {
  placeholder: "[USER@]HOST[:PORT]",
  expects: "[user@]host[:port]",
  read: parseDestination,
};

export const remoteOptions = {
  host: {
    type: destination,
    unset: "(this one)",
    help: "Carry the command out on another host, over ssh. NAUGHT_HOST in the environment says the same.",
  },
  "remote-naught": {
    type: path,
    unset: "naught",
    help: "Where naught is on that host, if its shell does not find it.",
  },
} as const satisfies Record<string, Option>;

export interface RemoteValues {
  readonly host: Destination | undefined;
  readonly "remote-naught": string | undefined;
}
