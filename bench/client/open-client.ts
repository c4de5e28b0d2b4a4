/**
 * The open-loop client's process. Requests fall due by the clock, whether or not earlier ones have been answered, and
 * their latency counts from then: a server that stalls cannot make the client ask less. Nothing is tried again.
 */
import {
  type Connection,
  close,
  exchange,
  type Failed,
  isReusable,
  open,
} from "../../test/support/connection.js";
import type { Response } from "../../test/support/http-response.js";
import type { FailureKind } from "../../test/support/load-report.js";
import type { Target } from "../../test/support/request.js";
import { openPhase, type Phase, summarizeLatencies } from "./open-tally.js";
import type { FromOpenClient, OpenShape, ToOpenClient } from "./open-words.js";

/** A request that has fallen due. */
interface Due {
  readonly id: string;
  readonly at: number;
  readonly phase: Phase;
}

interface Run {
  phase(name: string): void;
  stop(): Promise<void>;
}

let run: Run | undefined;

process.on("message", (message: ToOpenClient) => {
  if (message.type === "run") run = start(message.target, message.shape, message.phase);
  else if (message.type === "phase") run?.phase(message.phase);
  else void run?.stop();
});
// Whoever wanted the load has gone.
process.on("disconnect", () => process.exit(0));

function start(target: Target, shape: OpenShape, first: string): Run {
  const phases = new Map<string, Phase>([[first, openPhase()]]);
  let phase = phases.get(first) ?? openPhase();
  const lags: number[] = [];
  const idle: Connection[] = [];
  const waiting: Due[] = [];
  let kept = 0;
  let inHand = 0;
  let count = 0;
  let ready = false;
  let stopped = false;
  let dueAt = performance.now();

  const tick = (): void => {
    if (stopped) return;
    for (const now = performance.now(); dueAt <= now; dueAt += pickInterval(shape.rate)) {
      count += 1;
      phase.ask();
      lags.push(now - dueAt);
      const due: Due = { id: `r${count}`, at: dueAt, phase };
      inHand += 1;
      if (Math.random() < shape.fresh) void settle(due, ask(due, undefined, true));
      else waiting.push(due);
    }
    pump();
    setTimeout(tick, 1);
  };
  /** Puts waiting requests on connections, as far as there are any. */
  const pump = (): void => {
    for (let due = waiting[0]; due !== undefined; due = waiting[0]) {
      if (performance.now() - due.at > shape.timeoutMs) {
        waiting.shift();
        void settle(due, Promise.resolve({ failure: "timeout", detail: "no connection was free" }));
        continue;
      }
      const connection = kept < shape.connections ? undefined : takeIdle();
      if (connection === undefined && kept >= shape.connections) return;
      waiting.shift();
      if (connection === undefined) kept += 1;
      void settle(due, ask(due, connection, false));
    }
  };
  const takeIdle = (): Connection | undefined => {
    for (let connection = idle.shift(); connection !== undefined; connection = idle.shift()) {
      if (isReusable(connection)) return connection;
      if (connection.fate === "dropped") phase.closeIdle();
      close(connection);
      kept -= 1;
    }
    return undefined;
  };
  const ask = async (
    due: Due,
    current: Connection | undefined,
    last: boolean,
  ): Promise<Failed | undefined> => {
    const left = () => Math.max(1, shape.timeoutMs - (performance.now() - due.at));
    const connection = current ?? (await open(target, left()));
    if ("failure" in connection) {
      if (!last) kept -= 1;
      return connection;
    }
    if (current !== undefined) due.phase.reuse();
    const outcome = await exchange(connection, target, `/?id=${due.id}`, { timeout: left(), last });
    const failed = "failure" in outcome ? outcome : judge(outcome, due.id);
    if (failed !== undefined) close(connection);
    if (!last && connection.fate === "open") idle.push(connection);
    else if (!last) kept -= 1;
    return failed;
  };
  const settle = async (due: Due, asked: Promise<Failed | undefined>): Promise<void> => {
    const failed = await asked;
    const now = performance.now();
    inHand -= 1;
    if (failed === undefined) due.phase.succeed(now - due.at);
    else due.phase.fail(describeFailure(failed, due));
    if (failed === undefined && !ready) {
      ready = true;
      tell({ type: "ready" });
    }
    pump();
    if (stopped && inHand === 0) report();
  };
  const report = (): void => {
    const entries = [...phases].map(([name, each]) => [name, each.report()] as const);
    tell({ type: "report", report: { phases: Object.fromEntries(entries), lag: summarizeLatencies(lags) } });
  };
  tick();
  return {
    phase: (name) => {
      phase.end();
      phase = phases.get(name) ?? openPhase();
      phases.set(name, phase);
    },
    stop: async () => {
      if (stopped) return;
      stopped = true;
      phase.end();
      if (inHand === 0) report();
    },
  };
}

/** Arrivals of many clients that know nothing of each other. */
function pickInterval(rate: number): number {
  return (-Math.log(1 - Math.random()) * 1000) / rate;
}

/** A body says who made it, and for which request. */
function judge({ status, body: text }: Response, id: string): Failed | undefined {
  if (status !== 200) return { failure: "badStatus", detail: `${status} ${text.slice(0, 80)}` };
  try {
    const body: Record<string, unknown> = JSON.parse(text);
    if (body.id === id && typeof body.pid === "number") return undefined;
  } catch {
    // No JSON is as wrong as the wrong JSON.
  }
  return { failure: "badBody", detail: text.slice(0, 80) };
}

function describeFailure(failed: Failed, due: Due) {
  const failedAt = Date.now();
  const sentAt = Math.round(failedAt - (performance.now() - due.at));
  const kind: FailureKind = failed.failure;
  return { kind, path: `/?id=${due.id}`, detail: failed.detail, sentAt, failedAt };
}

function tell(message: FromOpenClient): void {
  process.send?.(message);
}
