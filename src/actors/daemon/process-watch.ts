/** Processes that are no children of the daemon: tells when each is gone, and kills it if need be. */
import { isSameProcess, readProcess } from "../proc.js";

export interface ProcessWatch {
  /** `gone` is told of it once. Idempotent. */
  watch(pid: number): void;
  /** Does nothing to a process that has taken the number over. */
  kill(pid: number): void;
  close(): void;
}

/** Milliseconds between two looks. */
const every = 100;

export function watchProcesses(gone: (pid: number) => void): ProcessWatch {
  const watched = new Map<number, string>();
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    for (const [pid, startTime] of watched) {
      if (isSameProcess(pid, startTime)) continue;
      watched.delete(pid);
      gone(pid);
    }
    if (watched.size === 0) close();
  }

  function close(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    watch(pid) {
      if (watched.has(pid)) return;
      watched.set(pid, readProcess(pid)?.startTime ?? "");
      timer ??= setInterval(look, every);
    },
    kill(pid) {
      const startTime = watched.get(pid);
      if (startTime === undefined || !isSameProcess(pid, startTime)) return;
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It was faster.
      }
    },
    close() {
      watched.clear();
      close();
    },
  };
}
