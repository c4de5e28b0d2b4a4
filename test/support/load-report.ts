/** What the load client is asked to do, and what it tells: the words between it and the test. */
import type { Target } from "./request.js";

export interface Shape {
  /** Loops with one connection each, which they reuse. */
  readonly keepAlive: number;
  /** Loops that open a connection for each request. */
  readonly fresh: number;
  /** Loops of slow requests, on connections that they reuse. */
  readonly slow: number;
  /** How long a slow response takes. */
  readonly slowMs: number;
  /** Loops of responses that come bit by bit, on connections that they reuse. */
  readonly streams: number;
  /** How long such a response takes. */
  readonly streamMs: number;
  /** The pause between two requests of a loop is at most this, */
  readonly pauseMs: number;
  /** except that one in twenty is at most this. */
  readonly idleMs: number;
  /** A response that is not complete by then is lost. */
  readonly timeoutMs: number;
}

/**
 * Every way in which a request can fail. A reset comes before the first byte of the response, a cut after it;
 * `other` is the client's own trouble, such as a lack of descriptors.
 */
export type FailureKind =
  | "refused"
  | "resetFresh"
  | "resetReused"
  | "truncated"
  | "timeout"
  | "badStatus"
  | "badBody"
  | "other";

export interface FailureDetail {
  readonly kind: FailureKind;
  readonly path: string;
  readonly detail: string;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly failedAt: number;
}

/** The responses of one version of the server. */
export interface Served {
  readonly count: number;
  /** When the first of them was complete, and when the last of them was asked for. */
  readonly firstAt: number;
  readonly lastAskedAt: number;
}

export interface Report {
  readonly ok: number;
  readonly failures: Readonly<Partial<Record<FailureKind, number>>>;
  /** The first of them. */
  readonly details: readonly FailureDetail[];
  readonly versions: Readonly<Record<string, Served>>;
  /** Requests that went out on a connection which had carried one before. */
  readonly reused: number;
  /** Connections that the server closed while they were idle, which is its right. */
  readonly idleCloses: number;
  /** Milliseconds, of the requests that were not slow on purpose. */
  readonly latency: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
  };
}

export type ToClient =
  | { readonly type: "run"; readonly target: Target; readonly shape: Shape }
  | { readonly type: "stop" };

export type FromClient =
  | { readonly type: "ready" }
  | { readonly type: "version"; readonly version: string }
  | { readonly type: "report"; readonly report: Report };
