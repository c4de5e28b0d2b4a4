/** Open-loop load as a scenario holds it: it runs from `openLoad` until `stop`, and tells what it saw. */
import { fork } from "node:child_process";
import { join } from "node:path";
import type { Target } from "../../test/support/request.js";
import type { FromOpenClient, OpenReport, OpenShape, ToOpenClient } from "./open-words.js";

export interface OpenLoad {
  /** Resolves at the first success. */
  readonly ready: Promise<void>;
  /** From now on requests are booked under this name; a name may come back. */
  phase(name: string): void;
  /** Lets what is in flight end, and reports. */
  stop(): Promise<OpenReport>;
}

interface Place extends Target {
  defer(cleanup: () => unknown): void;
}

const usual: OpenShape = { rate: 200, connections: 32, fresh: 0.2, timeoutMs: 5_000 };

export function openLoad(place: Place, shape: Partial<OpenShape> = {}, phase = "warm-up"): OpenLoad {
  const child = fork(join(import.meta.dirname, "open-client.js"), {
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  place.defer(() => child.kill("SIGKILL"));
  const full = { ...usual, ...shape };
  const send = (message: ToOpenClient) => void (child.connected && child.send(message, () => undefined));
  const hear = <T>(what: string, ms: number, look: (message: FromOpenClient) => T | undefined): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const settle = (end: () => void) => {
        clearTimeout(timer);
        child.off("message", take).off("exit", fail);
        end();
      };
      const take = (message: FromOpenClient) => {
        const fact = look(message);
        if (fact !== undefined) settle(() => resolve(fact));
      };
      const fail = (code: number | null, signal: NodeJS.Signals | null) =>
        settle(() => reject(new Error(`the open-loop client ended (${signal ?? code}) before ${what}`)));
      const timer = setTimeout(
        () => settle(() => reject(new Error(`open-loop client: no ${what} in ${ms} ms`))),
        ms,
      );
      child.on("message", take).on("exit", fail);
    });
  const ready = hear("success", 30_000, (message) => message.type === "ready" || undefined).then(
    () => undefined,
  );
  // Not everybody asks.
  ready.catch(() => undefined);
  send({ type: "run", target: { host: place.host, port: place.port }, shape: full, phase });
  return {
    ready,
    phase: (name) => send({ type: "phase", phase: name }),
    stop: async () => {
      const report = hear("report", full.timeoutMs + 20_000, (message) =>
        message.type === "report" ? message.report : undefined,
      );
      send({ type: "stop" });
      const result = await report;
      if (child.connected) child.disconnect();
      return result;
    },
  };
}
