/**
 * The master's link to the daemon, which stays the same when one daemon follows another: what has to arrive waits until
 * there is one. Owns the revival of a daemon that has died.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Client, Handle, Handlers } from "../../protocol/contract.js";
import { NaughtError } from "../../protocol/errors.js";
import type { Host, Master } from "../../protocol/master.js";
import type { Transport } from "../../protocol/transport.js";
import type { HostListen, HostUnlisten, PoolEvent, Serving } from "../../protocol/types.js";
import { type Birth, spawnHeir } from "../heir-process.js";
import { type DaemonProcess, followDaemon } from "./daemon-process.js";
import type { Memory } from "./memory.js";

export interface Link {
  readonly client: Client<typeof Host>;
  /** The daemon has dealt with so many events. */
  heard(count: number): void;
  /** It is there. */
  beat(): void;
}

/** What the link needs of the rest of the master. */
export interface LinkFacts {
  readonly memory: Memory;
  /** False: every worker is gone for good, and the daemon knows. */
  isWanted(): boolean;
  sockets(): Iterable<readonly [key: string, handle: Handle]>;
  listenFds(): readonly number[];
  /** A new daemon is there, and has to be told how things stand. */
  found(client: Client<typeof Host>): void;
  /** There will be no other daemon. */
  orphaned(): void;
}

/** Milliseconds between tries. */
const pauses = [0, 100, 250, 500, 1000, 2000, 2000, 2000, 2000, 2000];

export function openLink(first: Transport, handlers: Handlers<typeof Master>, facts: LinkFacts): Link {
  /** Each with its number among those that this daemon was sent. */
  let unheard: { readonly number: number; readonly event: PoolEvent }[] = [];
  const unlistened: HostUnlisten[] = [];
  const waiting = new Set<(daemon: DaemonProcess | null) => void>();
  let sent = 0;
  let serving: Serving | undefined;
  let daemon: DaemonProcess | null = null;
  let isOrphan = false;

  const isReplaceable = (): boolean => facts.isWanted() && facts.memory.recall() !== null;

  function follow(transport: Transport, pid: number): DaemonProcess {
    const followed: DaemonProcess = followDaemon(transport, pid, handlers, {
      isReplaceable,
      lost: () => daemon === followed && void lose(),
    });
    return followed;
  }

  async function lose(): Promise<void> {
    daemon = null;
    for (const pause of pauses) {
      if (!isReplaceable()) break;
      if (pause > 0) await delay(pause);
      const next = await revive().catch(() => null);
      if (next) return adopt(next);
    }
    isOrphan = true;
    for (const settle of waiting) settle(null);
    waiting.clear();
    facts.orphaned();
  }

  async function revive(): Promise<DaemonProcess | null> {
    const heritage = facts.memory.recall();
    if (!heritage) return null;
    const birth = JSON.parse(heritage.parts.birth ?? "{}") as Partial<Birth>;
    const { child, transport, ended } = spawnHeir({ env: {}, cwd: "/", ...birth }, facts.listenFds());
    const heir = follow(transport, child.pid ?? 0);
    const given = async (): Promise<DaemonProcess> => {
      await Promise.all([...facts.sockets()].map(([key, handle]) => heir.client.give({ key }, handle)));
      await heir.client.inherit({ ...heritage, master: process.pid });
      return heir;
    };
    const failed = ended.then((how) => Promise.reject(new Error(`the new daemon ${how}`)));
    failed.catch(() => {});
    try {
      return await Promise.race([given(), failed]);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  function adopt(next: DaemonProcess): void {
    daemon = next;
    unheard = unheard.map(({ event }, index) => ({ number: index + 1, event }));
    sent = unheard.length;
    for (const { event } of unheard) next.client.event(event);
    if (serving) next.client.serving(serving);
    for (const wish of unlistened.splice(0)) next.client.unlisten(wish);
    facts.found(next.client);
    for (const settle of waiting) settle(next);
    waiting.clear();
  }

  /** Null: there will be none. */
  function findDaemon(): Promise<DaemonProcess | null> {
    if (daemon || isOrphan) return Promise.resolve(daemon);
    return new Promise((settle) => waiting.add(settle));
  }

  /** A daemon that comes has to learn how it ended, and to remove its files. */
  async function sync(): Promise<Record<string, never>> {
    for (;;) {
      const asked = await findDaemon();
      if (!asked) throw new NaughtError("Lost");
      try {
        return await asked.client.sync({});
      } catch (error) {
        if (!isPassing(error)) throw error;
      }
    }
  }

  async function listen(wish: HostListen) {
    for (;;) {
      const asked = await findDaemon();
      if (!asked) throw new NaughtError("Lost");
      try {
        return await asked.client.listen(wish);
      } catch (error) {
        // The next one does not know that anybody has asked.
        if (!isPassing(error)) throw error;
      }
    }
  }

  /** Whether another daemon comes. */
  function isPassing(error: unknown): boolean {
    return error instanceof NaughtError && error.kind === "Lost" && !isOrphan && isReplaceable();
  }

  const lost = (): Promise<never> => Promise.reject(new NaughtError("Lost"));
  daemon = follow(first, process.ppid);
  return {
    client: {
      event(event) {
        sent += 1;
        if (isReplaceable()) unheard.push({ number: sent, event });
        daemon?.client.event(event);
      },
      serving(params) {
        serving = params;
        daemon?.client.serving(params);
      },
      unlisten(params) {
        if (daemon) daemon.client.unlisten(params);
        else unlistened.push(params);
      },
      listen,
      change: (params) => daemon?.client.change(params),
      waiting: (params) => daemon?.client.waiting(params),
      native: (params) => daemon?.client.native(params),
      beat: (params) => daemon?.client.beat(params),
      output: (params, handle) => daemon?.client.output(params, handle) ?? lost(),
      sync,
      give: lost,
      inherit: lost,
    },
    heard(count) {
      unheard = unheard.filter(({ number }) => number > count);
    },
    beat: () => daemon?.heard(),
  };
}
