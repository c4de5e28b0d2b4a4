/** Takes from running processes what they need: descriptors, the system's calls, room on a disk. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { countDescriptors } from "./processes.js";
import { until } from "./wait.js";

/** Returns what gives them back. */
export function takeDescriptors(pid: number): () => void {
  const limit = (soft: number): void =>
    void execFileSync("prlimit", ["--pid", String(pid), `--nofile=${soft}:4096`]);
  limit(countDescriptors(pid));
  return () => limit(4096);
}

/** These calls of the process fail so, until the function that is returned is called. `when` is strace's. */
export async function failCalls(
  pid: number,
  calls: string,
  error: string,
  when = "1+",
): Promise<() => Promise<void>> {
  const inject = `inject=${calls}:error=${error}:when=${when}`;
  // strace leaves the process as it was when it is told to go.
  const strace = spawn("strace", ["-f", "-p", String(pid), "-e", `trace=${calls}`, "-e", inject], {
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
