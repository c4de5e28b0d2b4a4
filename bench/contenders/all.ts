/** The contenders that a run was asked for, and that could be had, in the order of its tables. */
import { program } from "../../test/support/naught.js";
import type { Peers } from "../setting/install.js";
import { cluster } from "./cluster.js";
import type { Contender, Name } from "./contender.js";
import { naught, original } from "./naught.js";
import { pm2 } from "./pm2.js";

export function listContenders(peers: Peers, wanted: readonly Name[]): Contender[] {
  const all = [
    naught(program),
    cluster("none"),
    cluster("rr"),
    ...(peers.original === undefined ? [] : [original(peers.original)]),
    ...(peers.pm2 === undefined ? [] : [pm2(peers.pm2)]),
  ];
  return all.filter((each) => wanted.includes(each.name));
}
