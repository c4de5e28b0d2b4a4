/** The claims of a worker's servers on addresses: which of several servers on one address each of them is. */
import { readListeningId } from "../node-internals.js";

export interface Claim {
  /** 0 for the first server on the address: it shares with the first of every other worker, as under node:cluster. */
  readonly index: number;
  /** The server listens. */
  settle(): void;
  /** The server has closed its socket, or got none; idempotent. */
  free(): void;
}

export type Claims = (server: object, address: string) => Claim;

interface Holder {
  readonly index: number;
  /** A server that was closed, or told to listen anew, before its socket arrived holds nothing. */
  isStale(): boolean;
}

export function createClaims(): Claims {
  const holders = new Map<string, Set<Holder>>();
  return (server, address) => {
    const known = holders.get(address) ?? new Set();
    for (const holder of known) if (holder.isStale()) known.delete(holder);
    const taken = new Set([...known].map(({ index }) => index));
    let index = 0;
    while (taken.has(index)) index += 1;
    const id = readListeningId(server);
    let isSettled = false;
    const holder: Holder = { index, isStale: () => !isSettled && readListeningId(server) !== id };
    holders.set(address, known.add(holder));
    return {
      index,
      settle() {
        isSettled = true;
      },
      free() {
        known.delete(holder);
        if (known.size === 0 && holders.get(address) === known) holders.delete(address);
      },
    };
  };
}
