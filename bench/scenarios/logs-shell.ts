/** The floors of the logs: what prints straight to a file, and what prints through a pipe to `cat`. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hear, servers } from "../contenders/cluster.js";
import { listChildren } from "../setting/proc.js";
import type { Stage } from "../setting/stage.js";
import type { Started } from "./logs.js";

export async function startShell(stage: Stage, workers: number, way: "file" | "cat"): Promise<Started> {
  const file = openSync(stage.path("out.log"), "a");
  const children: ChildProcess[] = [];
  const begin = (command: string, args: string[], stdio: ("ignore" | "pipe" | "ipc" | number)[]) => {
    const child = spawn(command, args, { cwd: stage.dir, env: stage.env, stdio });
    stage.defer(() => child.kill("SIGKILL"));
    children.push(child);
    return child;
  };
  for (let count = 0; count < workers; count += 1) {
    const script = join(servers, "writer.cjs");
    if (way === "file") {
      await hear(begin(process.execPath, [script], ["ignore", file, "ignore", "ipc"]), "online");
      continue;
    }
    // A shell makes the pipe: one made by Node would be a socket.
    const words = ["-c", '"$0" "$1" | cat >> out.log', process.execPath, script];
    begin("/bin/sh", words, ["ignore", "ignore", "ignore"]);
  }
  closeSync(file);
  if (way === "cat") await new Promise((resolve) => setTimeout(resolve, 500));
  const writers = way === "cat" ? children.flatMap(({ pid = 0 }) => listChildren(pid).filter(isCat)) : [];
  return { writers, supervisors: [] };
}

function isCat(pid: number): boolean {
  return readFileSync(`/proc/${pid}/comm`, "utf8") === "cat\n";
}
