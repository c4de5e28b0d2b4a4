/**
 * The load client's process: loops of requests that never try anything again. It has a process of its own so
 * that neither the test's work nor its pauses are mistaken for the server's.
 */
import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type Connection, close, exchange, type Failed, isReusable, open } from "./connection.js";
import type { Response } from "./http-response.js";
import type { FailureKind, FromClient, Shape, ToClient } from "./load-report.js";
import { openTally, type Tally } from "./load-tally.js";
import type { Target } from "./request.js";

type Kind = "keepAlive" | "fresh" | "slow" | "streams";

interface Loop {
  readonly name: string;
  readonly kind: Kind;
  readonly target: Target;
  readonly shape: Shape;
  readonly tally: Tally;
  readonly onFirst: () => void;
}

const stopping = new AbortController();
// Every loop's pause listens to it.
setMaxListeners(0, stopping.signal);

process.on("message", (message: ToClient) => {
  if (message.type === "stop") stopping.abort();
  else void runAll(message.target, message.shape);
});
// The test has gone; so does its load.
process.on("disconnect", () => process.exit(0));

async function runAll(target: Target, shape: Shape): Promise<void> {
  const tally = openTally((version) => tell({ type: "version", version }));
  const kinds = (["keepAlive", "fresh", "slow", "streams"] as const).flatMap((kind) =>
    Array<Kind>(shape[kind]).fill(kind),
  );
  let silent = kinds.length;
  const onFirst = () => {
    silent -= 1;
    if (silent === 0) tell({ type: "ready" });
  };
  await Promise.all(
    kinds.map((kind, index) => run({ name: `${kind}${index}`, kind, target, shape, tally, onFirst })),
  );
  tell({ type: "report", report: tally.report() });
}

async function run(loop: Loop): Promise<void> {
  let connection: Connection | undefined;
  let hasSucceeded = false;
  for (let count = 0; !stopping.signal.aborted; count += 1) {
    const asked = await ask(loop, `${loop.name}-${count}`, keep(loop, connection));
    connection = asked.connection;
    if (asked.isSuccess && !hasSucceeded) loop.onFirst();
    hasSucceeded ||= asked.isSuccess;
    await pause(loop.shape);
  }
  if (connection !== undefined) close(connection);
}

/** The connection of the last request, if it may carry another one. */
function keep(loop: Loop, connection: Connection | undefined): Connection | undefined {
  if (connection === undefined || isReusable(connection)) return connection;
  if (connection.fate === "dropped") loop.tally.closeIdle();
  close(connection);
  return undefined;
}

interface Asked {
  readonly isSuccess: boolean;
  readonly connection?: Connection;
}

async function ask(loop: Loop, id: string, current: Connection | undefined): Promise<Asked> {
  const { target, shape, tally } = loop;
  const path = `${paths[loop.kind](shape)}id=${id}`;
  const sentAt = Date.now();
  const began = performance.now();
  const fail = (kind: FailureKind, detail: string): Asked => {
    tally.fail({ kind, path, detail, sentAt, failedAt: Date.now() });
    return { isSuccess: false };
  };
  const connection = current ?? (await open(target, shape.timeoutMs));
  if ("failure" in connection) return fail(connection.failure, connection.detail);
  if (current !== undefined) tally.reuse();
  const options = { timeout: shape.timeoutMs, last: loop.kind === "fresh" };
  const outcome = await exchange(connection, target, path, options);
  const verdict = "failure" in outcome ? outcome : judge(outcome, id);
  if ("failure" in verdict) {
    close(connection);
    return fail(verdict.failure, verdict.detail);
  }
  tally.succeed(verdict.version, sentAt, isQuick(loop) ? performance.now() - began : undefined);
  return { isSuccess: true, connection };
}

const paths: Readonly<Record<Kind, (shape: Shape) => string>> = {
  keepAlive: () => "/?",
  fresh: () => "/?",
  slow: ({ slowMs }) => `/slow?ms=${slowMs}&`,
  streams: ({ streamMs }) => `/stream?ms=${streamMs}&`,
};

function isQuick({ kind }: Loop): boolean {
  return kind === "keepAlive" || kind === "fresh";
}

/** A body says who made it, and for which request. */
function judge({ status, body: text }: Response, id: string): { readonly version: string } | Failed {
  if (status !== 200) return { failure: "badStatus", detail: `${status} ${text.slice(0, 80)}` };
  try {
    const body: Record<string, unknown> = JSON.parse(text);
    if (body.id === id && typeof body.version === "string" && typeof body.pid === "number") {
      return { version: body.version };
    }
  } catch {
    // No JSON is as wrong as the wrong JSON.
  }
  return { failure: "badBody", detail: text.slice(0, 80) };
}

async function pause(shape: Shape): Promise<void> {
  const longest = Math.random() < 0.05 ? shape.idleMs : shape.pauseMs;
  await delay(Math.random() * longest, undefined, { signal: stopping.signal }).catch(() => undefined);
}

function tell(message: FromClient): void {
  process.send?.(message);
}
