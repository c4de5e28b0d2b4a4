/** Takes from running processes what they need: descriptors, the system's calls, room on a disk. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { countDescriptors } from "./processes.js";
import { until } from "./wait.js";

/** No number from `first` on is given any more; by default those that it has are all. Returns what gives them back. */
export function takeDescriptors(pid: number, first = countDescriptors(pid)): () => void {
  const limit = (soft: number): void =>
    void execFileSync("prlimit", ["--pid", String(pid), `--nofile=${soft}:4096`]);
  limit(first);
  return () => limit(4096);
}

/** These calls of the process fail so, until the function that is returned is called. `when` is strace's. */
export function failCalls(
  pid: number,
  calls: string,
  error: string,
  when = "1+",
): Promise<() => Promise<void>> {
  return tamper(pid, calls, `error=${error}:when=${when}`);
}

export function limitMemory(pid: number, bytes: number): void {
  execFileSync("prlimit", ["--pid", String(pid), `--data=${bytes}`]);
}

/** These calls of the process seem to work, and do nothing. */
export function ignoreCalls(pid: number, calls: string): Promise<() => Promise<void>> {
  return tamper(pid, calls, "retval=0");
}

/** These calls of the process, where they are about this file, become what strace's `injection` says. */
export function tamperWithFile(
  pid: number,
  calls: string,
  injection: string,
  file: string,
): Promise<() => Promise<void>> {
  return tamper(pid, calls, injection, ["-P", file]);
}

async function tamper(
  pid: number,
  calls: string,
  injection: string,
  more: readonly string[] = [],
): Promise<() => Promise<void>> {
  const inject = `inject=${calls}:${injection}`;
  // strace leaves the process as it was when it is told to go.
  const strace = spawn("strace", ["-f", "-p", String(pid), "-e", `trace=${calls}`, "-e", inject, ...more], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  strace.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await until("strace to be there", () => {
    if (strace.exitCode !== null) throw new Error(`strace: ${said}`);
    return /attached/.test(said);
  });
  return async () => {
    strace.kill("SIGINT");
    if (strace.exitCode === null && strace.signalCode === null) await once(strace, "exit");
  };
}
