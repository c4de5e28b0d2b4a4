/** The server alone, in one node process that nobody supervises. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Stage } from "../setting/stage.js";
import { hear } from "./cluster.js";
import type { Contender, Service } from "./contender.js";

export const bare: Contender = {
  name: "node",
  start: async (stage, app): Promise<Service> => {
    const { child, ms } = await bootBare(stage, app.script);
    return {
      startMs: ms,
      deploy: () => Promise.reject(new Error("node alone cannot deploy")),
      status: undefined,
      supervisors: [],
      workers: () => (child.pid === undefined ? [] : [child.pid]),
    };
  },
};

/** Resolves when the server says that it is online, with the milliseconds that took: its own boot. */
export async function bootBare(
  stage: Stage,
  script: string,
  args: readonly string[] = [],
): Promise<{ readonly child: ChildProcess; readonly ms: number }> {
  const began = performance.now();
  const child = spawn(process.execPath, [script, ...args], {
    cwd: stage.dir,
    env: stage.env,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  stage.defer(() => child.kill("SIGKILL"));
  await hear(child, "online");
  return { child, ms: performance.now() - began };
}
