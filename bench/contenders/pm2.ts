/** pm2 in cluster mode, told to wait until a worker says `ready`, with a home and so a daemon of its own. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listChildren } from "../setting/proc.js";
import type { Command, Stage } from "../setting/stage.js";
import type { App, Contender, Service } from "./contender.js";
import { replaceAll } from "./replace.js";

export function pm2(program: string): Contender {
  return { name: "pm2", start: (stage, app) => start(stage, app, program) };
}

/** With the module pm2-logrotate, which was installed in the folder `modules`. */
export function pm2WithLogrotate(program: string, modules: string): Contender {
  return {
    name: "pm2",
    start: async (stage, app) => {
      prepareLogrotate(stage.path("pm2"), modules, app.maxLogSize);
      const service = await start(stage, app, program);
      const isModule = (command: string) => command.includes("/pm2-logrotate/");
      const module = stage.processes().find(({ command }) => isModule(command));
      if (module === undefined) throw new Error("pm2 has not started pm2-logrotate");
      return {
        ...service,
        supervisors: [...service.supervisors, { role: "module", pid: module.pid }],
        workers: () => service.workers().filter((pid) => pid !== module.pid),
      };
    },
  };
}

/** What `pm2 install pm2-logrotate` and `pm2 set` leave in a home; without npm, which would take its time in each round. */
function prepareLogrotate(home: string, modules: string, maxLogSize = 0): void {
  mkdirSync(join(home, "modules"), { recursive: true });
  symlinkSync(modules, join(home, "modules/pm2-logrotate"));
  const settings = { max_size: String(maxLogSize), compress: "true", retain: "1000", workerInterval: "1" };
  const configuration = { "module-db-v2": { "pm2-logrotate": {} }, "pm2-logrotate": settings };
  writeFileSync(join(home, "module_conf.json"), JSON.stringify(configuration));
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
