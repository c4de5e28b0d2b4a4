/** What the open-loop client is asked to do, and what it tells. */
import type { FailureDetail, FailureKind } from "../../test/support/load-report.js";
import type { Target } from "../../test/support/request.js";

export interface OpenShape {
  /** Requests that fall due in a second, at random intervals, whatever becomes of those before them. */
  readonly rate: number;
  /** Connections that are kept and reused. */
  readonly connections: number;
  /** The share of requests that have a connection of their own. */
  readonly fresh: number;
  /** A request that is not answered in full so long after it was due is lost. */
  readonly timeoutMs: number;
}

/** The requests that fell due while a phase lasted. */
export interface PhaseReport {
  readonly asked: number;
  readonly ok: number;
  readonly failures: Readonly<Partial<Record<FailureKind, number>>>;
  /** The first of them. */
  readonly details: readonly FailureDetail[];
  /** Requests that went out on a connection which had carried one before. */
  readonly reused: number;
  /** Connections that the server closed while they were idle, which is its right. */
  readonly idleCloses: number;
  /** Milliseconds from when a request was due to the last byte of its response. */
  readonly latency: Latency;
  /** The longest time between two successes, and from the phase's last one to its end. */
  readonly silenceMs: number;
}

export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface OpenReport {
  readonly phases: Readonly<Record<string, PhaseReport>>;
  /** How late the client itself was in sending, in milliseconds: what it adds to every latency. */
  readonly lag: Latency;
}

export type ToOpenClient =
  | { readonly type: "run"; readonly target: Target; readonly shape: OpenShape; readonly phase: string }
  | { readonly type: "phase"; readonly phase: string }
  | { readonly type: "stop" };

export type FromOpenClient =
  | { readonly type: "ready" }
  | { readonly type: "report"; readonly report: OpenReport };
