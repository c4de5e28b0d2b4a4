/** The master's link to the daemon, which stays the same when one daemon follows another; starts the next one. */
import type { Client, Handle, Handlers } from "../../protocol/contract.js";
import { NaughtError } from "../../protocol/errors.js";
import type { Host, Master } from "../../protocol/master.js";
import type { Transport } from "../../protocol/transport.js";
import type { HostListen } from "../../protocol/types.js";
import { type Birth, spawnHeir } from "../heir-process.js";
import { type DaemonProcess, followDaemon } from "./daemon-process.js";
import type { Memory } from "./memory.js";
import { type Effect, type Fact, firstSuccession, type Succession, succeed } from "./succession.js";

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
  /** False: there was no start yet, or every worker is gone for good, and the daemon knows. */
  isWanted(): boolean;
  sockets(): Iterable<readonly [key: string, handle: Handle]>;
  listenFds(): readonly number[];
  /** A new daemon is there, and has to be told how things stand. */
  found(client: Client<typeof Host>): void;
  /** There will be no other daemon. */
  orphaned(): void;
}

export function openLink(first: Transport, handlers: Handlers<typeof Master>, facts: LinkFacts): Link {
  const waiting = new Set<(daemon: DaemonProcess | null) => void>();
  let succession: Succession = firstSuccession;
  let daemon: DaemonProcess | null = null;

  const isReplaceable = (): boolean => facts.isWanted() && facts.memory.recall() !== null;

  function follow(transport: Transport, pid: number): DaemonProcess {
    const followed: DaemonProcess = followDaemon(transport, pid, handlers, {
      isReplaceable,
      lost() {
        if (daemon !== followed) return;
        daemon = null;
        note({ type: "lost", isReplaceable: isReplaceable() });
      },
    });
    return followed;
  }

  function note(fact: Fact): void {
    const { state, effects } = succeed(succession, fact);
    succession = state;
    for (const effect of effects) perform(effect);
  }

  function perform(effect: Effect): void {
    switch (effect.type) {
      case "event":
        return daemon?.client.event(effect.event);
      case "serving":
        return daemon?.client.serving(effect.serving);
      case "unlisten":
        return daemon?.client.unlisten(effect.wish);
      case "introduce":
        return introduce();
      case "revive":
        return effect.pause === 0 ? void tryRevival() : void setTimeout(tryRevival, effect.pause);
      case "orphaned":
        settleWaiting();
        return facts.orphaned();
    }
  }

  async function tryRevival(): Promise<void> {
    let isRival = false;
    const next = await revive().catch((error: unknown) => {
      isRival = error instanceof NaughtError && error.kind === "AlreadyRunning";
      return null;
    });
    if (!next) return note({ type: "failed", isReplaceable: isReplaceable(), isRival });
    daemon = next;
    note({ type: "found" });
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
      if (child.pid !== undefined) child.kill("SIGKILL");
      throw error;
    }
  }

  function introduce(): void {
    if (daemon) facts.found(daemon.client);
    settleWaiting();
  }

  function settleWaiting(): void {
    for (const settle of waiting) settle(daemon);
    waiting.clear();
  }

  /** Null: there will be none. */
  function findDaemon(): Promise<DaemonProcess | null> {
    if (daemon || succession.isOrphan) return Promise.resolve(daemon);
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
    return error instanceof NaughtError && error.kind === "Lost" && !succession.isOrphan && isReplaceable();
  }

  const lost = (): Promise<never> => Promise.reject(new NaughtError("Lost"));
  daemon = follow(first, process.ppid);
  return {
    client: {
      event: (event) => note({ type: "event", event, isReplaceable: isReplaceable() }),
      serving: (serving) => note({ type: "serving", serving }),
      unlisten: (wish) => note({ type: "unlisten", wish }),
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
    heard: (count) => note({ type: "heard", count }),
    beat: () => daemon?.heard(),
  };
}
