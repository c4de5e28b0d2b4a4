/** The load client's book: every request is entered once, as what it was. */
import type { FailureDetail, FailureKind, Report, Served } from "./load-report.js";

export interface Tally {
  readonly succeed: (version: string, askedAt: number, latency: number | undefined) => void;
  readonly fail: (failure: FailureDetail) => void;
  readonly reuse: () => void;
  readonly closeIdle: () => void;
  readonly report: () => Report;
}

const detailsKept = 20;

/** `announce` is told of each version when it is first seen. */
export function openTally(announce: (version: string) => void): Tally {
  const failures = new Map<FailureKind, number>();
  const details: FailureDetail[] = [];
  const versions = new Map<string, Served>();
  const latencies: number[] = [];
  let reused = 0;
  let idleCloses = 0;
  return {
    succeed: (version, askedAt, latency) => {
      const before = versions.get(version);
      if (before === undefined) announce(version);
      versions.set(version, {
        count: (before?.count ?? 0) + 1,
        firstAt: before?.firstAt ?? Date.now(),
        lastAskedAt: Math.max(before?.lastAskedAt ?? 0, askedAt),
      });
      if (latency !== undefined) latencies.push(latency);
    },
    fail: (failure) => {
      failures.set(failure.kind, (failures.get(failure.kind) ?? 0) + 1);
      if (details.length < detailsKept) details.push(failure);
    },
    reuse: () => {
      reused += 1;
    },
    closeIdle: () => {
      idleCloses += 1;
    },
    report: () => ({
      ok: [...versions.values()].reduce((sum, each) => sum + each.count, 0),
      failures: Object.fromEntries(failures),
      details,
      versions: Object.fromEntries(versions),
      reused,
      idleCloses,
      latency: summarize(latencies),
    }),
  };
}

function summarize(latencies: readonly number[]): Report["latency"] {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
