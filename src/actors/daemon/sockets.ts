/**
 * The daemon's table of listening sockets, and of those of datagrams: each is bound once and outlives every worker that
 * accepts on it, or reads from it.
 */
import { constants } from "node:os";
import type { Handle } from "../../protocol/contract.js";
import type { Balance, HostListen, Listened, SocketInfo, WorkerRef } from "../../protocol/types.js";
import { canBindDatagrams } from "../node-datagrams.js";
import { canBind, canSharePort, reusePort, type SocketHandle } from "../node-internals.js";
import type { Neighbours } from "./address.js";
import { type Refused, refuseUnprivileged } from "./binding.js";
import { createComing, type KeptComing } from "./coming.js";
import { createEntries, type KeptEntries } from "./entries.js";
import { openInherited } from "./inherited-sockets.js";

export interface Sockets {
  /** The answer to a worker that wants to listen, with the socket unless it is an error. */
  listen(wish: HostListen): Promise<Granted>;
  /** A worker has closed a socket. */
  unlisten(worker: WorkerRef, key: string): void;
  /** A worker is gone, and has let go of all it had. */
  forget(worker: WorkerRef): void;
  /** The master is gone: its workers accept until each is forgotten, and the sockets wait for those of the next. */
  strand(): void;
  /** A generation serves: its workers accept from now on, and those of a later one not yet. */
  takeOver(generation: number): void;
  /** Whether the serving generation has every worker online. At rest, what nobody uses is given up. */
  setAtRest(atRest: boolean): void;
  /** Says in the log, once, that Node has changed and the sockets are node:cluster's. */
  sayNative(): void;
  /** What there is, and who accepts. */
  list(): SocketInfo[];
  /** What another daemon has to know of it, and the sockets themselves. */
  keep(): KeptSockets;
  handles(): Map<string, SocketHandle>;
  close(): void;
}

/** Plain data. */
export interface KeptSockets extends KeptEntries {
  readonly coming: KeptComing;
}

export interface Granted {
  readonly listened: Listened;
  readonly handle?: Handle;
}

/** What the sockets need of the world. */
export interface Surroundings extends Neighbours {
  /** Resolves when nobody else has a copy of the socket any more. */
  release(key: string): Promise<void>;
  /** The workers of a coming generation are to accept at once. */
  serve(generation: number): void;
  /** Something is different: see `keep`. */
  changed(): void;
  log(line: string): void;
}

/** A wish that is being thought about, and whether its worker is still there to get something. */
interface Pending {
  readonly worker: WorkerRef;
  isGone: boolean;
}

export function createSockets(
  { listenFds, balance }: { listenFds: readonly number[]; balance: Balance },
  { release, serve, changed, log, ...neighbours }: Surroundings,
  kept?: { readonly table: KeptSockets; readonly handles: ReadonlyMap<string, SocketHandle> },
): Sockets {
  const pending = new Set<Pending>();
  const isAble = canBind();
  const inherited = openInherited(isAble ? listenFds : []);
  const shares = balance === "slots" && isAble && tryToShare() ? reusePort : 0;
  // A worker knows its own queue from the answer to its wish on, which is sent in this turn.
  const later: Neighbours = {
    adopt: (...args) => void setImmediate(() => neighbours.adopt(...args)),
    disown: (...args) => void setImmediate(() => neighbours.disown(...args)),
  };
  const entries = createEntries({ shares, inherited, release, changed }, later, kept);
  const coming = createComing(() => entries.all().map(({ address }) => address), serve, kept?.table.coming);
  let atRest = false;
  let hasSaidNative = false;

  async function listen(wish: HostListen): Promise<Granted> {
    const { datagram = false } = wish;
    const kind = datagram ? { datagram } : {};
    const refuse = (refused: Refused): Granted => ({
      listened: { key: "", native: false, ...kind, ...refused },
    });
    const isPossible = datagram ? canBindDatagrams() : isAble;
    if (!isPossible) sayNative();
    const given = inherited.find(wish);
    const isGiven = typeof given === "number" || given.length > 0;
    const refused = isGiven ? null : refuseUnprivileged(wish);
    if (refused) return refuse(refused);
    // Nothing is balanced among those who read from one socket.
    if (!isPossible || (balance === "round-robin" && !isGiven && !datagram))
      return { listened: { errno: 0, key: "", native: true, ...kind } };
    const asking: Pending = { worker: wish.worker, isGone: false };
    pending.add(asking);
    const found = await entries.find(wish, given);
    pending.delete(asking);
    if ("errno" in found) return refuse(found);
    if (asking.isGone) return refuse({ errno: -constants.errno.ESRCH });
    const isWithheld = coming.withholds(wish.worker) && entries.isServed(found);
    const { key, handle } = found.address.join(wish.worker, isWithheld);
    const withheld = isWithheld ? { withheld: true } : {};
    const tickets = found.tickets.share(wish);
    // Before the answer: the socket must not be there without anybody who knows it.
    changed();
    return { listened: { errno: 0, key, native: false, ...kind, ...withheld, ...tickets }, handle };
  }

  function giveUpUnused(): void {
    if (atRest) entries.giveUpUnused();
  }

  function sayNative(): void {
    if (hasSaidNative) return;
    hasSaidNative = true;
    log(
      `Node ${process.version} does not let naught keep the listening sockets: they are node:cluster's, and connections that wait in one are lost when its last worker dies`,
    );
  }

  function tryToShare(): boolean {
    try {
      return canSharePort();
    } catch (error) {
      log(`--balance slots is not possible, because ${(error as Error).message}`);
      return false;
    }
  }

  return {
    listen,
    keep: () => ({ ...entries.keep(), coming: coming.keep() }),
    handles: () => new Map(entries.all().flatMap(({ address, query }) => (query ? address.handles() : []))),
    unlisten(worker, key) {
      for (const { address } of entries.all()) address.leave(worker, key);
      coming.look();
      giveUpUnused();
      changed();
    },
    forget(worker) {
      for (const each of pending)
        if (each.worker.id === worker.id && each.worker.pid === worker.pid) each.isGone = true;
      for (const { address, path } of entries.all()) {
        address.leave(worker);
        // Some applications remove it as they end.
        path?.restore();
      }
      coming.look();
      giveUpUnused();
      changed();
    },
    strand() {
      atRest = false;
      for (const each of pending) each.isGone = true;
      for (const { address } of entries.all()) address.strand();
      coming.forget();
      changed();
    },
    takeOver(generation) {
      coming.takeOver(generation);
      changed();
    },
    setAtRest(rest) {
      atRest = rest;
      giveUpUnused();
    },
    sayNative,
    list: () =>
      entries.all().map(({ name, address, port }) => ({
        ...name,
        inherited: port === null,
        queues: address.list(),
      })),
    close() {
      for (const { path } of entries.all()) path?.remove();
      for (const { address, port } of entries.all()) if (port !== null) address.close();
      inherited.close();
      entries.clear();
      coming.look();
    },
  };
}
