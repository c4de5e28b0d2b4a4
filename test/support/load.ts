/** Load on a server, as the test holds it: it runs from `startLoad` until `stop`, and tells what it saw. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { join } from "node:path";
import type { FromClient, Report, Shape, ToClient } from "./load-report.js";
import type { Target } from "./request.js";

export interface Load {
  /** Resolves at the first successful response of every loop. */
  readonly ready: Promise<void>;
  /** Resolves when this version has answered. */
  saw(version: string, ms?: number): Promise<void>;
  /** Lets what is in flight end, and reports. */
  stop(): Promise<Report>;
}

interface Place extends Target {
  /** Where a load is told that its test is over. */
  defer(cleanup: () => unknown): void;
}

const usual: Shape = {
  keepAlive: 4,
  fresh: 2,
  slow: 2,
  slowMs: 2_000,
  streams: 0,
  streamMs: 5_000,
  pauseMs: 20,
  idleMs: 1_000,
  timeoutMs: 15_000,
};

export async function startLoad(place: Place, shape: Partial<Shape> = {}): Promise<Load> {
  const load = openLoad(place, shape);
  await load.ready.catch(async (error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(await load.stop())}`);
  });
  return load;
}

/** Load on a server that need not answer at all. */
export function openLoad(place: Place, shape: Partial<Shape> = {}): Load {
  const child = fork(join(import.meta.dirname, "load-client.js"), {
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  place.defer(() => child.kill("SIGKILL"));
  const seen = new Set<string>();
  let isReady = false;
  let report: Report | undefined;
  const listeners = new Set<() => void>();
  const notify = () => {
    for (const listen of listeners) listen();
  };
  child.on("message", (message: FromClient) => {
    if (message.type === "ready") isReady = true;
    else if (message.type === "version") seen.add(message.version);
    else report = message.report;
    notify();
  });
  child.on("exit", notify);
  const awaitFact = <T>(what: string, ms: number, look: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const settle = (end: () => void) => {
        clearTimeout(timer);
        listeners.delete(check);
        end();
      };
      const check = () => {
        const fact = look();
        if (fact !== undefined) settle(() => resolve(fact));
        else if (child.exitCode !== null)
          settle(() => reject(new Error(`the load client ended before ${what}`)));
      };
      const timer = setTimeout(() => settle(() => reject(new Error(`load: no ${what} in ${ms} ms`))), ms);
      listeners.add(check);
      check();
    });
  const send = (message: ToClient) => void (child.connected && child.send(message, () => undefined));
  send({ type: "run", target: { host: place.host, port: place.port }, shape: { ...usual, ...shape } });
  const ready = awaitFact("success of every loop", 20_000, () => isReady || undefined).then(() => undefined);
  // Not everybody asks.
  ready.catch(() => undefined);
  return {
    ready,
    saw: async (version, ms = 10_000) => {
      await awaitFact(`response of version ${version}`, ms, () => seen.has(version) || undefined);
    },
    stop: async () => {
      send({ type: "stop" });
      const last = await awaitFact("report", 40_000, () => report);
      if (child.connected) child.disconnect();
      return last;
    },
  };
}

/** No request failed, in any way; and there were some. */
export function assertUnhurt(report: Report): void {
  assert.deepEqual(report.failures, {}, `requests failed: ${JSON.stringify(report, null, 1)}`);
  assert.ok(report.ok > 0, "no request was served at all");
}
