/** What clients may cost a daemon: each of them, and all of them together. */

/** What one connection may cost. */
export interface Limits {
  /** Bytes of a message's header. */
  readonly header: number;
  /** Bytes of a message's body. */
  readonly message: number;
  /** How deep arrays and objects may be nested in a message. */
  readonly depth: number;
  /** How many values a message may have. */
  readonly values: number;
  /** How many messages a batch may have. */
  readonly batch: number;
  /** Seconds from the first byte of a message to its last. */
  readonly seconds: number;
  /** Messages that are not dealt with yet; beyond it the connection is not read until one is. */
  readonly inHand: number;
  /** Bytes of output that the client has not read; beyond it the connection is not read until it has. */
  readonly unread: number;
  /** Bytes of output that the client has not read; beyond it the connection is dropped. */
  readonly queued: number;
  /** Seconds that a client has to close its end after naught has closed its own. */
  readonly linger: number;
}

/** What all connections of a daemon may cost together. */
export interface CrowdLimits {
  /** Connections; beyond it one that only waits makes room for the new one, and if there is none, the new one is refused. */
  readonly connections: number;
  /** Bytes of what has come and is not dealt with, and of output that is not read; beyond it the connection with the largest part is dropped. */
  readonly together: number;
}

export const limits: Limits = {
  header: 4 * 1024,
  message: 4 * 1024 * 1024,
  depth: 64,
  values: 100_000,
  batch: 100,
  seconds: 30,
  inHand: 1000,
  unread: 1024 * 1024,
  queued: 4 * 1024 * 1024,
  linger: 5,
};

export const crowdLimits: CrowdLimits = {
  connections: 1000,
  together: 16 * 1024 * 1024,
};
