/** Closed-loop load as a scenario holds it: how many requests a second the server takes at the most. */
import { fork } from "node:child_process";
import { join } from "node:path";
import type { Target } from "../../test/support/request.js";

export interface Flood extends Target {
  readonly connections: number;
  /** Every request has a connection of its own. */
  readonly fresh: boolean;
  readonly warmMs: number;
  readonly ms: number;
}

export interface FloodReport {
  readonly ok: number;
  readonly failed: number;
  readonly seconds: number;
}

/** `warm` is called when the measurement begins. */
export function flood(order: Flood, warm: () => void = () => undefined): Promise<FloodReport> {
  const child = fork(join(import.meta.dirname, "flood-client.js"), {
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => {
        child.kill("SIGKILL");
        reject(new Error("the flood did not end"));
      },
      order.warmMs + order.ms + 10_000,
    );
    child.on("exit", () => {
      clearTimeout(timer);
      reject(new Error("the flood client ended before its report"));
    });
    child.on("message", (message: FloodReport | "warm") => {
      if (message === "warm") return warm();
      clearTimeout(timer);
      resolve(message);
      child.disconnect();
    });
    child.send(order);
  });
}
