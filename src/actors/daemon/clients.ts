/** The clients of the daemon: each is a connection with a number, whose calls become messages of the machine. */

import { nanoid } from "nanoid";
import { now } from "../../clock.js";
import type { CallContext, Client, Handlers } from "../../protocol/contract.js";
import { Daemon } from "../../protocol/daemon.js";
import { NaughtError } from "../../protocol/errors.js";
import { connect } from "../../protocol/peer.js";
import type { Transport } from "../../protocol/transport.js";
import type { DrainTimes, Empty, Hello, Settled, Started, Status, Watched } from "../../protocol/types.js";
import { Watcher } from "../../protocol/watcher.js";
import type { Calls } from "../actor.js";
import type { Guest } from "./crowd.js";
import type { Logs } from "./logs.js";
import { readOpenRpc } from "./open-rpc.js";
import { endPeer } from "./parting.js";
import type { ClientId, Message } from "./state.js";

export interface Clients {
  /** Serves whoever is at the other end. `mayStart`: it has spawned this daemon. */
  add(from: Transport, mayStart: boolean): Guest;
  /** Undefined for one that is gone. */
  find(client: ClientId): Client<typeof Watcher> | undefined;
  /** Resolves when every client has its last answers, or will not take them. */
  closeAll(): Promise<void>;
}

export interface Reception {
  readonly calls: Calls;
  /** This daemon's life. */
  readonly run: string;
  /** By which this daemon knows its workers. */
  readonly token: string;
  hello(): Hello;
  /** Undefined before the start. */
  logs(): Logs | undefined;
  post(message: Message): void;
}

export function createClients(reception: Reception): Clients {
  const clients = new Map<ClientId, Client<typeof Watcher>>();
  const endings = new Map<ClientId, () => Promise<void>>();
  let last = 0;
  return {
    add(from, mayStart) {
      last += 1;
      const client = last;
      const presence: Presence = { isOwn: false, watches: false, stops: 0 };
      const peer = connect(from, Daemon, serveClient(client, mayStart, presence, reception), Watcher, {
        discover: readOpenRpc,
      });
      clients.set(client, peer.client);
      endings.set(client, () => endPeer(peer));
      peer.onClose(() => {
        clients.delete(client);
        endings.delete(client);
        reception.post({ type: "clientGone", client });
      });
      const { reader } = from;
      return {
        isOwn: () => presence.isOwn,
        isIdle: () => reader.inHand === 0 && !presence.watches && !presence.isOwn,
        isOnlyStopping: () => reader.inHand === presence.stops && !presence.watches && !presence.isOwn,
      };
    },
    find: (client) => clients.get(client),
    async closeAll() {
      await Promise.all([...endings.values()].map((end) => end()));
    },
  };
}

/** What a connection is there for. */
interface Presence {
  /** A worker of this daemon's is at the other end. */
  isOwn: boolean;
  watches: boolean;
  /** How many of its calls wait for a stop. */
  stops: number;
}

function serveClient(
  client: ClientId,
  mayStart: boolean,
  presence: Presence,
  { calls, run, token, hello, logs, post }: Reception,
): Handlers<typeof Daemon> {
  return {
    hello,
    start(params) {
      if (!mayStart)
        throw new NaughtError("NotAllowed", "only the process that spawned the daemon can start it");
      return calls.ask<Started>((call) => post({ type: "start", call, client, start: params }));
    },
    status: () => calls.ask<Status>((call) => post({ type: "status", call, client, at: now() })),
    deploy: (params, { onCancel }: CallContext) =>
      calls.ask<Settled>((call) => {
        onCancel(() => post({ type: "cancel", call }));
        post({ type: "deploy", call, client, deploy: { ...params, id: params.id ?? nanoid() } });
      }),
    attachDeploy: ({ deploy: id }) =>
      calls.ask<Settled>((call) => post({ type: "attachDeploy", call, client, id })),
    abortDeploy: ({ deploy: id }) =>
      calls.ask<Settled>((call) =>
        post({ type: "abortDeploy", call, client, ...(id === undefined ? {} : { id }) }),
      ),
    async stop(params) {
      presence.stops += 1;
      try {
        return await calls.ask<Empty>((call) => post({ type: "stop", call, client, stop: params }));
      } finally {
        presence.stops -= 1;
      }
    },
    async watch({ since, run: theirs }) {
      presence.watches = true;
      const watched = await calls.ask<Watched>((call) =>
        post({
          type: "watch",
          call,
          client,
          ...(since === undefined ? {} : { since }),
          restarted: theirs !== undefined && theirs !== run,
        }),
      );
      return { run, ...watched };
    },
    logs: (params, { onCancel }: CallContext) => requireLogs(logs()).reader.read(params, onCancel),
    async reopenLogs() {
      await requireLogs(logs()).reopen();
      return {};
    },
    lifeline({ worker, master, token: theirs }) {
      if (theirs !== token)
        throw new NaughtError("NotAllowed", "only this daemon's own workers have a lifeline");
      presence.isOwn = true;
      return calls.ask<DrainTimes>((call) => post({ type: "lifeline", call, client, worker, master }));
    },
  };
}

function requireLogs(logs: Logs | undefined): Logs {
  if (!logs) throw new NaughtError("NotStarted");
  return logs;
}
