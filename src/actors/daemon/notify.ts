/** What a service manager is told, and when: the daemon's life in the words of sd_notify(3). Pure. */
import type { WaitingFor } from "../../protocol/types.js";
import type { Daemon, Effect } from "./state.js";

type Phase = "starting" | "ready" | "reloading" | "stopping";

/** What the manager has been told, and what was seen on the way that the daemon's state does not keep. */
export interface Told {
  readonly phase: Phase;
  readonly status: string;
  readonly waitingFor: WaitingFor;
  /** Why the last deploy failed. */
  readonly failure: string | null;
}

export const untold: Told = { phase: "starting", status: "", waitingFor: null, failure: null };

/** `now` is the monotonic clock in microseconds. What has to be said after a step of the machine is in `lines`. */
export function notify(
  told: Told,
  { state, effects }: { readonly state: Daemon; readonly effects: readonly Effect[] },
  now: bigint,
): { told: Told; lines: readonly string[] } {
  const seen = effects.reduce(observe, told);
  const phase = findPhase(state, seen);
  const begins = phase !== told.phase;
  const failure = begins && phase === "reloading" ? null : seen.failure;
  const status = describe(state, phase, { ...seen, failure });
  return {
    told: { phase, status, waitingFor: seen.waitingFor, failure },
    lines: [
      ...(begins ? assignments[phase](now) : []),
      ...(status === told.status ? [] : [`STATUS=${status}`]),
    ],
  };
}

// Before systemd 253 MONOTONIC_USEC says nothing; since then it tells this reload from an earlier one.
const assignments: Readonly<Record<Phase, (now: bigint) => readonly string[]>> = {
  starting: () => [],
  ready: () => ["READY=1"],
  reloading: (now) => ["RELOADING=1", `MONOTONIC_USEC=${now}`],
  stopping: () => ["STOPPING=1"],
};

function observe(told: Told, effect: Effect): Told {
  if (effect.type !== "event") return told;
  const { name, waitingFor, detail = "see the log" } = effect.event;
  return { ...told, waitingFor, failure: name === "DeployFailed" ? detail : told.failure };
}

function findPhase({ life, startCall, forwarded }: Daemon, { waitingFor }: Told): Phase {
  if (life === "empty" || life === "opening") return "starting";
  if (life !== "running") return "stopping";
  if (startCall) return "starting";
  // A deploy that is about to be refused has been handed to the master, too, but moves nothing there.
  const isDeploying = [...forwarded.values()].some(({ kind }) => kind === "deploy");
  return isDeploying && (waitingFor === "new" || waitingFor === "old") ? "reloading" : "ready";
}

function describe({ start, serving, master, counts }: Daemon, phase: Phase, told: Told): string {
  const { booting, online, dying, new_online: fresh } = counts;
  const wanted = serving?.workerCount ?? start?.workerCount ?? 0;
  const all = booting + online + dying + fresh;
  switch (phase) {
    case "starting":
      return `starting, workers online: ${online + fresh} of ${wanted}`;
    case "stopping":
      return all === 0 ? "stopping" : `stopping, workers left: ${all}`;
    case "reloading":
      return told.waitingFor === "new"
        ? `deploy in progress, new workers online: ${fresh}, booting: ${booting}`
        : `deploy in progress, old workers leaving: ${dying}`;
    case "ready": {
      if (master === "none") return "the master process died, a new one is starting";
      const parts = [
        `workers online: ${online}${online === wanted ? "" : ` of ${wanted}`}`,
        ...(booting === 0 ? [] : [`booting: ${booting}`]),
        ...(dying === 0 ? [] : [`leaving: ${dying}`]),
      ];
      const failure = told.failure === null ? "" : `; the last deploy failed: ${told.failure}`;
      // A line break would begin an assignment of its own.
      return `${parts.join(", ")}${failure}`.replace(/\s+/g, " ");
    }
  }
}

/** The service manager that started this process, as far as the environment tells. */
export interface Manager {
  /** A path, or an abstract socket's name behind an @. */
  readonly address: string;
  /** Milliseconds within which it wants a sign of life; null: it wants none. */
  readonly watchdog: number | null;
  /** Some other process was started by it, of which this one is a descendant: a shell, npm. */
  readonly isIndirect: boolean;
}

export function findManager(env: NodeJS.ProcessEnv, pid: number): Manager | null {
  const { NOTIFY_SOCKET: address, WATCHDOG_USEC, WATCHDOG_PID, SYSTEMD_EXEC_PID } = env;
  if (address === undefined || address === "") return null;
  const isIndirect = SYSTEMD_EXEC_PID !== undefined && SYSTEMD_EXEC_PID !== String(pid);
  // Whoever takes the place of the process that was started has its duties, too.
  const isMeant =
    WATCHDOG_PID === undefined || WATCHDOG_PID === String(pid) || WATCHDOG_PID === SYSTEMD_EXEC_PID;
  const usec = Number(WATCHDOG_USEC);
  return { address, watchdog: isMeant && usec > 0 ? usec / 1000 : null, isIndirect };
}
