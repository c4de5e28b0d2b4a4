/**
 * The keys with which the TLS servers on one address seal their sessions. As under node:cluster the first server's hold
 * for all, so that a client can resume its session with any of them; but each generation has its own.
 */
import type { HostListen } from "../../protocol/types.js";

export interface Tickets {
  /** The keys for this worker's server. */
  share(wish: HostListen): { ticketKeys?: string };
  keep(): KeptTickets;
}

export interface KeptTickets {
  readonly generation: number;
  readonly held: string;
}

export function createTickets(kept: KeptTickets = { generation: 0, held: "" }): Tickets {
  let { generation, held } = kept;
  return {
    keep: () => ({ generation, held }),
    share({ worker, ticketKeys }) {
      if (ticketKeys === undefined) return {};
      if (worker.generation > generation) {
        generation = worker.generation;
        held = ticketKeys;
      }
      // The replacement of an old worker, while new ones are coming, keeps what it has.
      return worker.generation === generation ? { ticketKeys: held } : {};
    },
  };
}
