/** The open-loop client's book: every request is entered once, in the phase in which it fell due. */
import type { FailureDetail, FailureKind } from "../../test/support/load-report.js";
import type { Latency, PhaseReport } from "./open-words.js";

export interface Phase {
  ask(): void;
  succeed(latency: number): void;
  fail(failure: FailureDetail): void;
  reuse(): void;
  closeIdle(): void;
  /** No request falls due in it any more. */
  end(): void;
  report(): PhaseReport;
}

const detailsKept = 5;

export function openPhase(): Phase {
  const failures = new Map<FailureKind, number>();
  const details: FailureDetail[] = [];
  const latencies: number[] = [];
  const count = { asked: 0, reused: 0, idleCloses: 0 };
  let lastSuccess = performance.now();
  let silence = 0;
  let ended = false;
  const hear = () => {
    silence = Math.max(silence, performance.now() - lastSuccess);
    lastSuccess = performance.now();
  };
  return {
    ask: () => {
      count.asked += 1;
    },
    succeed: (latency) => {
      latencies.push(latency);
      if (!ended) hear();
    },
    fail: (failure) => {
      failures.set(failure.kind, (failures.get(failure.kind) ?? 0) + 1);
      if (details.length < detailsKept) details.push(failure);
    },
    reuse: () => {
      count.reused += 1;
    },
    closeIdle: () => {
      count.idleCloses += 1;
    },
    end: () => {
      hear();
      ended = true;
    },
    report: () => ({
      ...count,
      ok: latencies.length,
      failures: Object.fromEntries(failures),
      details,
      latency: summarizeLatencies(latencies),
      silenceMs: silence,
    }),
  };
}

export function summarizeLatencies(latencies: readonly number[]): Latency {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.max(0, Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1))] ?? 0;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1) };
}
