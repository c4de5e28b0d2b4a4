/** The daemon's table of listening sockets: each is bound once and outlives every worker that accepts on it. */
import { constants } from "node:os";
import type { Handle } from "../../protocol/contract.js";
import type { Balance, HostListen, Listened, SocketInfo, WorkerRef } from "../../protocol/types.js";
import { canBind, canSharePort, type ListenQuery, reusePort, type SocketHandle } from "../node-internals.js";
import { type Address, createAddress, type KeptAddress, type Neighbours, type Queue } from "./address.js";
import { bindBeside, bindWish, type Refused, refuseUnprivileged } from "./binding.js";
import { createComing, type KeptComing } from "./coming.js";
import { openInherited } from "./inherited-sockets.js";
import { nameSocket, type SocketName } from "./socket-name.js";
import { type KeptPath, openPath, type SocketPath } from "./socket-path.js";
import { createTickets, type KeptTickets, type Tickets } from "./tickets.js";

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
export interface KeptSockets {
  readonly serial: number;
  readonly coming: KeptComing;
  readonly entries: readonly KeptEntry[];
}

interface KeptEntry {
  readonly wanted: string;
  readonly isAside: boolean;
  readonly name: SocketName;
  /** Null for a socket that naught was given. */
  readonly query: ListenQuery | null;
  readonly path: KeptPath | null;
  readonly tickets: KeptTickets;
  readonly address: KeptAddress;
  /** Of sockets that naught was given: where they are among those, with their keys. */
  readonly given: readonly (readonly [index: number, key: string])[];
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

interface Entry {
  readonly name: SocketName;
  readonly address: Address;
  /** Null for a socket that naught was given, which is not ours to give up. */
  readonly port: number | null;
  readonly path: SocketPath | null;
  readonly given: readonly SocketHandle[];
  readonly givenKeys: readonly string[];
  readonly query: ListenQuery | null;
  readonly tickets: Tickets;
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
  /** By what was asked for. */
  const entries = new Map<string, Entry>();
  /** Replaced, because somebody else has put something in the place of their path, but still accepted from. */
  const aside = new Set<Entry>();
  const pending = new Set<Pending>();
  const isAble = canBind();
  const inherited = openInherited(isAble ? listenFds : []);
  const shares = balance === "slots" && isAble && tryToShare() ? reusePort : 0;
  const listAll = (): Entry[] => [...entries.values(), ...aside];
  const coming = createComing(() => listAll().map(({ address }) => address), serve, kept?.table.coming);
  let atRest = false;
  let hasSaidNative = false;
  let serial = kept?.table.serial ?? 0;

  // A worker knows its own queue from the answer to its wish on, which is sent in this turn.
  const later: Neighbours = {
    adopt: (...args) => void setImmediate(() => neighbours.adopt(...args)),
    disown: (...args) => void setImmediate(() => neighbours.disown(...args)),
  };

  async function listen(wish: HostListen): Promise<Granted> {
    if (!isAble) sayNative();
    const given = inherited.find(wish);
    const isGiven = typeof given === "number" || given.length > 0;
    const refused = isGiven ? null : refuseUnprivileged(wish);
    if (refused) return refuse(refused);
    if (!isAble || (balance === "round-robin" && !isGiven))
      return { listened: { errno: 0, key: "", native: true } };
    const asking: Pending = { worker: wish.worker, isGone: false };
    pending.add(asking);
    const found = await find(wish, given);
    pending.delete(asking);
    if ("errno" in found) return refuse(found);
    if (asking.isGone) return refuse({ errno: -constants.errno.ESRCH });
    const isWithheld = coming.withholds(wish.worker) && isServed(found);
    const { key, handle } = found.address.join(wish.worker, isWithheld);
    const withheld = isWithheld ? { withheld: true } : {};
    const tickets = found.tickets.share(wish);
    // Before the answer: the socket must not be there without anybody who knows it.
    changed();
    return { listened: { errno: 0, key, native: false, ...withheld, ...tickets }, handle };
  }

  async function find(wish: HostListen, given: readonly SocketHandle[] | number): Promise<Entry | Refused> {
    if (typeof given === "number") return { errno: given };
    if (given.length > 0) return findGiven(wish, given);
    const found = findOwn(wish);
    const isInTheWay = ({ address, port }: Entry): boolean =>
      port !== null && port > 0 && port === wish.port && !address.isUsed;
    const inTheWay = [...entries].filter(([, entry]) => isInTheWay(entry));
    if (!("errno" in found) || found.errno !== -constants.errno.EADDRINUSE || inTheWay.length === 0)
      return found;
    // A server that was closed a moment ago, on another address with this port, is to the application out of the way.
    await Promise.all(inTheWay.map(([wanted, entry]) => giveUp(wanted, entry)));
    return findOwn(wish);
  }

  // The same socket may have been asked for by its address, and by its number.
  function isServed({ address, given }: Entry): boolean {
    if (address.isServed) return true;
    return listAll().some(
      (other) => other.address.isServed && other.given.some((handle) => given.includes(handle)),
    );
  }

  function findGiven({ fd, address, port }: HostListen, handles: readonly SocketHandle[]): Entry {
    const wanted = `given|${[fd, address, port].join("|")}`;
    const known = entries.get(wanted);
    if (known) return known;
    const queues = handles.map((handle) => name(wanted, handle));
    const [first, ...others] = queues;
    if (!first) throw new Error("no socket was given for this address");
    return add(wanted, {
      name: nameSocket(first.handle, { fd, address }),
      address: createAddress(first, null, later, others),
      port: null,
      path: null,
      given: handles,
      givenKeys: queues.map(({ key }) => key),
      query: null,
    });
  }

  function findOwn(wish: HostListen): Entry | Refused {
    const { address, port, addressType, flags = 0, index } = wish;
    const wanted = [address ?? "", port, addressType, flags, index].join("|");
    const known = entries.get(wanted);
    if (known && (known.path?.restore() ?? true)) return known;
    const bound = bindWish(wish, shares);
    if ("errno" in bound) return bound;
    if (known) aside.add(known);
    const queues = createAddress(name(wanted, bound.handle), openMore(wanted, bound.query), later);
    return add(wanted, {
      name: nameSocket(bound.handle, wish),
      address: queues,
      port: bound.query.port,
      path: bound.path,
      given: [],
      givenKeys: [],
      query: bound.query,
    });
  }

  function openMore(wanted: string, query: ListenQuery): (() => Queue | null) | null {
    if (shares === 0 || query.addressType === -1) return null;
    return () => {
      const handle = bindBeside({ query });
      return handle && name(wanted, handle);
    };
  }

  function restore({ table, handles }: NonNullable<typeof kept>): void {
    for (const each of table.entries) {
      const given = each.given.flatMap(([index]) => inherited.all[index] ?? []);
      const own = new Map<string, Queue>();
      for (const [key, handle] of handles) own.set(key, { key, handle });
      for (const [at, [, key]] of each.given.entries()) {
        const handle = given[at];
        if (handle) own.set(key, { key, handle });
      }
      const keys =
        each.given.length > 0 ? each.given.map(([, key]) => key) : each.address.queues.map(([, key]) => key);
      const [first, ...others] = keys.flatMap((key) => own.get(key) ?? []);
      // It was not with anybody yet.
      if (!first) continue;
      const { query } = each;
      const more = query && openMore(each.wanted, query);
      const entry: Entry = {
        name: each.name,
        address: createAddress(first, more, later, query ? [] : others, { ...each.address, held: own }),
        port: query ? query.port : null,
        path: each.path && openPath(each.path),
        given,
        givenKeys: each.given.map(([, key]) => key),
        query,
        tickets: createTickets(each.tickets),
      };
      if (each.isAside) aside.add(entry);
      else entries.set(each.wanted, entry);
    }
  }

  function keepEntry(wanted: string, entry: Entry): KeptEntry {
    const { name, address, path, given, givenKeys, query, tickets } = entry;
    const at = given.map((handle, index) => [inherited.all.indexOf(handle), givenKeys[index] ?? ""] as const);
    return {
      wanted,
      isAside: aside.has(entry),
      name,
      query,
      path: path?.kept ?? null,
      tickets: tickets.keep(),
      address: address.keep(),
      given: at,
    };
  }

  function name(wanted: string, handle: SocketHandle): Queue {
    serial += 1;
    return { key: `${wanted}#${serial}`, handle };
  }

  function add(wanted: string, entry: Omit<Entry, "tickets">): Entry {
    const whole = { ...entry, tickets: createTickets() };
    entries.set(wanted, whole);
    return whole;
  }

  function giveUpUnused(): void {
    if (!atRest) return;
    for (const [wanted, entry] of entries)
      if (!entry.address.isUsed && entry.port !== null) giveUp(wanted, entry);
  }

  // As long as somebody else has a copy, nobody can bind the address anew.
  async function giveUp(wanted: string, entry: Entry): Promise<void> {
    await Promise.all(entry.address.keys.map(release));
    if (entry.address.isUsed || entries.get(wanted) !== entry) return;
    entries.delete(wanted);
    entry.path?.remove();
    entry.address.close();
    changed();
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

  if (kept) restore(kept);
  return {
    listen,
    keep: () => ({
      serial,
      coming: coming.keep(),
      entries: [
        ...[...entries].map(([wanted, entry]) => keepEntry(wanted, entry)),
        ...[...aside].map((entry) => keepEntry("", entry)),
      ],
    }),
    handles: () => new Map(listAll().flatMap(({ address, query }) => (query ? address.handles() : []))),
    unlisten(worker, key) {
      for (const { address } of listAll()) address.leave(worker, key);
      coming.look();
      giveUpUnused();
      changed();
    },
    forget(worker) {
      for (const each of pending)
        if (each.worker.id === worker.id && each.worker.pid === worker.pid) each.isGone = true;
      for (const { address, path } of listAll()) {
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
      for (const { address } of listAll()) address.strand();
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
      listAll().map(({ name, address, port }) => ({
        ...name,
        inherited: port === null,
        queues: address.list(),
      })),
    close() {
      for (const { path } of listAll()) path?.remove();
      for (const { address, port } of listAll()) if (port !== null) address.close();
      inherited.close();
      entries.clear();
      aside.clear();
      coming.look();
    },
  };
}

function refuse(refused: Refused): Granted {
  return { listened: { key: "", native: false, ...refused } };
}
