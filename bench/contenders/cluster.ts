/** The floor: node:cluster with a primary of some 30 lines, under either of its scheduling policies. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../../test/support/servers.js";
import { listChildren } from "../setting/proc.js";
import type { Stage } from "../setting/stage.js";
import type { App, Contender, Service } from "./contender.js";
import { replaceAll } from "./replace.js";

export const servers = join(root, "bench/servers");

export function cluster(policy: "none" | "rr"): Contender {
  return {
    name: policy === "none" ? "cluster" : "cluster-rr",
    start: (stage, app) => start(stage, app, policy),
  };
}

async function start(stage: Stage, app: App, policy: string): Promise<Service> {
  const began = performance.now();
  const args = [join(servers, "primary.cjs"), policy, String(app.workers), app.script];
  const child = spawn(process.execPath, args, {
    cwd: stage.dir,
    env: stage.env,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  stage.defer(() => child.kill("SIGKILL"));
  child.on("error", () => undefined);
  await hear(child, "ready");
  const pid = child.pid ?? 0;
  const workers = () => listChildren(pid);
  return {
    startMs: performance.now() - began,
    deploy: () =>
      replaceAll(workers, async () => {
        const asked = performance.now();
        child.send("deploy");
        await hear(child, "deployed");
        return performance.now() - asked;
      }),
    status: undefined,
    supervisors: [{ role: "master", pid }],
    workers,
  };
}

/** Resolves when a process says this word to its parent. */
export function hear(child: ChildProcess, word: string, ms = 60_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      clearTimeout(timer);
      child.off("message", take).off("exit", fail);
      end();
    };
    const take = (message: unknown) => {
      if (message === word) settle(resolve);
    };
    const fail = () => settle(() => reject(new Error(`a process ended before it said "${word}"`)));
    const timer = setTimeout(() => settle(() => reject(new Error(`no "${word}" in ${ms} ms`))), ms);
    child.on("message", take).on("exit", fail);
  });
}
