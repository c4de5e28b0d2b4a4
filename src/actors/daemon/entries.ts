/** The entries of the table of listening sockets: found by what was asked for, bound once, kept for the next daemon. */
import { constants } from "node:os";
import type { HostListen } from "../../protocol/types.js";
import { isConnected } from "../node-datagrams.js";
import type { ListenQuery, SocketHandle } from "../node-internals.js";
import { type Address, createAddress, type KeptAddress, type Neighbours, type Queue } from "./address.js";
import { bindBeside, bindWish, type Refused } from "./binding.js";
import type { InheritedSockets } from "./inherited-sockets.js";
import { isSameKind, nameSocket, nameWish, type SocketName } from "./socket-name.js";
import { type KeptPath, openPath, type SocketPath } from "./socket-path.js";
import { createTickets, type KeptTickets, type Tickets } from "./tickets.js";

export interface Entry {
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

/** Plain data. */
export interface KeptEntry {
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

export interface KeptEntries {
  readonly serial: number;
  readonly entries: readonly KeptEntry[];
}

export interface Entries {
  all(): Entry[];
  /** `given`: the sockets among those that naught was given which are meant, or why none of them can be had. */
  find(wish: HostListen, given: readonly SocketHandle[] | number): Promise<Entry | Refused>;
  /** Whether the serving generation accepts from it. */
  isServed(entry: Entry): boolean;
  giveUpUnused(): void;
  keep(): KeptEntries;
  clear(): void;
}

export interface EntriesFacts {
  /** Flags with which several sockets can have one address; 0 if they are not to. */
  readonly shares: number;
  readonly inherited: InheritedSockets;
  /** Resolves when nobody else has a copy of the socket any more. */
  release(key: string): Promise<void>;
  /** Something is different: see `keep`. */
  changed(): void;
}

export function createEntries(
  { shares, inherited, release, changed }: EntriesFacts,
  neighbours: Neighbours,
  kept?: { readonly table: KeptEntries; readonly handles: ReadonlyMap<string, SocketHandle> },
): Entries {
  /** By what was asked for. */
  const entries = new Map<string, Entry>();
  /** Replaced, because somebody else has put something in the place of their path, but still accepted from. */
  const aside = new Set<Entry>();
  let serial = kept?.table.serial ?? 0;

  const listAll = (): Entry[] => [...entries.values(), ...aside];

  async function find(wish: HostListen, given: readonly SocketHandle[] | number): Promise<Entry | Refused> {
    if (typeof given === "number") return { errno: given };
    if (given.length > 0) return findGiven(wish, given);
    if (wish.datagram) await giveUpConnected(nameWish(wish));
    const found = findOwn(wish);
    const isInTheWay = ({ name, address, port }: Entry): boolean =>
      port !== null && port > 0 && port === wish.port && isSameKind(name, wish) && !address.isUsed;
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

  // Whoever had it has left it fit for one peer alone, while a new one gets what it would get without naught.
  async function giveUpConnected(wanted: string): Promise<void> {
    const known = entries.get(wanted);
    if (!known || known.address.isUsed) return;
    if (known.address.handles().some(([, handle]) => isConnected(handle))) await giveUp(wanted, known);
  }

  function findGiven({ fd, address, port, datagram }: HostListen, handles: readonly SocketHandle[]): Entry {
    const wanted = `given|${[fd, address, port, ...(datagram ? ["datagrams"] : [])].join("|")}`;
    const known = entries.get(wanted);
    if (known) return known;
    const queues = handles.map((handle) => name(wanted, handle));
    const [first, ...others] = queues;
    if (!first) throw new Error("no socket was given for this address");
    return add(wanted, {
      name: nameSocket(first.handle, { fd, address }),
      address: createAddress(first, null, neighbours, others),
      port: null,
      path: null,
      given: handles,
      givenKeys: queues.map(({ key }) => key),
      query: null,
    });
  }

  function findOwn(wish: HostListen): Entry | Refused {
    const wanted = nameWish(wish);
    const known = entries.get(wanted);
    if (known && (known.path?.restore() ?? true)) return known;
    const bound = bindWish(wish, shares);
    if ("errno" in bound) return bound;
    if (known) aside.add(known);
    const queues = createAddress(name(wanted, bound.handle), openMore(wanted, bound.query), neighbours);
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
    if (shares === 0 || query.addressType === -1 || query.datagram) return null;
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
        address: createAddress(first, more, neighbours, query ? [] : others, { ...each.address, held: own }),
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

  // As long as somebody else has a copy, nobody can bind the address anew.
  async function giveUp(wanted: string, entry: Entry): Promise<void> {
    await Promise.all(entry.address.keys.map(release));
    if (entry.address.isUsed || entries.get(wanted) !== entry) return;
    entries.delete(wanted);
    entry.path?.remove();
    entry.address.close();
    changed();
  }

  if (kept) restore(kept);
  return {
    all: listAll,
    find,
    isServed,
    giveUpUnused() {
      for (const [wanted, entry] of entries)
        if (!entry.address.isUsed && entry.port !== null) giveUp(wanted, entry);
    },
    keep: () => ({
      serial,
      entries: [
        ...[...entries].map(([wanted, entry]) => keepEntry(wanted, entry)),
        ...[...aside].map((entry) => keepEntry("", entry)),
      ],
    }),
    clear() {
      entries.clear();
      aside.clear();
    },
  };
}
