/** Messages to the service manager by systemd-notify, a process for each. It needs NotifyAccess=all unless root runs it. */
import { spawn } from "node:child_process";

/** Milliseconds: it waits until the manager has read the message, so that the manager still finds out who sent it. */
const patience = 5_000;

export function runNotifyProgram(address: string, lines: readonly string[]): Promise<"sent"> {
  return new Promise((resolve, reject) => {
    const child = spawn("systemd-notify", [...lines], {
      // The daemon's directory may have been removed.
      cwd: "/",
      env: { ...(process.env.PATH !== undefined && { PATH: process.env.PATH }), NOTIFY_SOCKET: address },
      stdio: ["ignore", "ignore", "pipe"],
      timeout: patience,
      killSignal: "SIGKILL",
    });
    let words = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      words += text;
    });
    child.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "ENOENT" ? new Error(missing) : error),
    );
    child.once("close", (code, signal) => {
      if (code === 0) resolve("sent");
      else reject(new Error(`systemd-notify: ${words.trim() || `ended with ${code ?? signal}`}`));
    });
  });
}

const missing =
  "it takes the program systemd-notify, or the npm package koffi beside naught; neither is there";
