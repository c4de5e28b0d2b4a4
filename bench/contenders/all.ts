/** The contenders that a run was asked for, in the order of its tables. */
import { program } from "../../test/support/naught.js";
import type { Peers } from "../setting/install.js";
import { cluster } from "./cluster.js";
import type { Contender, Name } from "./contender.js";
import { naught, original } from "./naught.js";
import { pm2 } from "./pm2.js";

export function listContenders(peers: Peers, wanted: readonly Name[]): Contender[] {
  const all = [naught(program), cluster("none"), cluster("rr"), original(peers.original), pm2(peers.pm2)];
  return all.filter((each) => wanted.includes(each.name));
}
