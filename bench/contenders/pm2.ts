/** pm2 in cluster mode, told to wait until a worker says `ready`, with a home and so a daemon of its own. */
import { readFileSync } from "node:fs";
import { listChildren } from "../setting/proc.js";
import type { Command, Stage } from "../setting/stage.js";
import type { App, Contender, Service } from "./contender.js";
import { replaceAll } from "./replace.js";

export function pm2(program: string): Contender {
  return { name: "pm2", start: (stage, app) => start(stage, app, program) };
}

/** What a stage's environment needs for pm2: it must not ask the network for newer versions of itself. */
export function pm2Environment(dir: string): Record<string, string> {
  return { PM2_HOME: `${dir}/pm2`, PM2_DISABLE_VERSION_CHECK: "true" };
}

async function start(stage: Stage, app: App, program: string): Promise<Service> {
  const command = (...args: string[]): Command => ({
    file: "/usr/bin/env",
    args: [...toWords(pm2Environment(stage.dir)), process.execPath, program, ...args],
  });
  // Its first command starts its daemon; that is a part of what a start costs.
  const { ms } = await stage.run(
    command("start", app.script, "--name", "app", "--instances", String(app.workers), ...waits, ...logs(app)),
  );
  const pid = Number(readFileSync(stage.path("pm2/pm2.pid"), "utf8"));
  const workers = () => listChildren(pid);
  return {
    startMs: ms,
    deploy: () => replaceAll(workers, async () => (await stage.run(command("reload", "app"), 300_000)).ms),
    status: command("list"),
    supervisors: [{ role: "daemon", pid }],
    workers,
  };
}

const waits = ["--wait-ready", "--listen-timeout", "20000"];

function logs(app: App): string[] {
  return app.stdout === undefined ? [] : ["--output", app.stdout, "--merge-logs"];
}

function toWords(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
