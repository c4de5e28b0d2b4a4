/** The daemon's machine in a test's hands: what it is told, and what it wants done. */
import { emptyDaemon, step } from "../../src/actors/daemon/machine.js";
import type { Daemon, Effect, Message } from "../../src/actors/daemon/state.js";
import type { Counts, EventName, PoolEvent, ResolvedLaunch, Start } from "../../src/protocol/types.js";

/** Milliseconds of a monotonic clock. */
const at = 1_000_000;

export const time = "2026-01-02T03:04:05.678Z";

/** The client that started the daemon, and some others. */
export const starter = 1;
export const other = 2;
export const third = 3;

export const noCounts: Counts = { booting: 0, online: 0, dying: 0, new_online: 0 };

export const launch: ResolvedLaunch = {
  script: "/current/server.js",
  args: ["--flag"],
  nodeArgs: ["--enable-source-maps"],
  env: { PATH: "/bin", COLOUR: "red" },
  cwd: "/current",
  realScript: "/releases/1/server.js",
  realCwd: "/releases/1",
};

export const start: Start = {
  ipcFile: "/run/naught.ipc",
  pidFile: "/run/naught.pid",
  logs: { log: "/log/naught.log", stdout: "/log/stdout.log", stderr: "/dev/null", maxSize: 1000 },
  workerCount: 2,
  daemonMode: true,
  removeOldIpc: false,
  launch,
  drain: { grace: 10, timeout: 30 },
  listenFds: [],
};

export const serving = { generation: 1, workerCount: 2, launch };

/** What the machine adds to a status once a generation serves. */
const { env, ...told } = launch;
export const servingInfo = {
  generation: 1,
  workerCount: 2,
  since: time,
  ...told,
  env: Object.keys(env).sort(),
};

/** What a master is started with, as far as the machine knows it. */
export const masterStart = {
  launch,
  workerCount: 2,
  generation: 1,
  drain: start.drain,
  resume: false,
  output: { stdout: true, stderr: false },
};

export function poolEvent(
  name: EventName,
  counts: Partial<Counts> = {},
  more: Partial<PoolEvent> = {},
): PoolEvent {
  return { name, counts: { ...noCounts, ...counts }, waitingFor: null, ...more };
}

export interface Machine {
  readonly state: Daemon;
  /** What the machine wants done about the last of the messages. */
  post(...messages: readonly Message[]): readonly Effect[];
}

export function openMachine(): Machine {
  let state = emptyDaemon;
  return {
    get state() {
      return state;
    },
    post(...messages) {
      let effects: readonly Effect[] = [];
      for (const message of messages) ({ state, effects } = step(state, message, time, at));
      return effects;
    },
  };
}

const calling = { type: "start", call: 1, client: starter, start } as const;

/** The files are being opened. */
export function opening(): Machine {
  const machine = openMachine();
  machine.post(calling);
  return machine;
}

/** The first master is alive, and its workers are booting. */
export function booting(): Machine {
  const machine = opening();
  machine.post({ type: "opened", launch });
  return machine;
}

/** The workers are online, and whoever started the daemon has its answer. */
export function running(): Machine {
  const machine = booting();
  machine.post(
    { type: "masterServing", serving },
    { type: "masterEvent", event: poolEvent("Ready", { online: 2 }) },
    { type: "masterAnswered", call: 1, result: { outcome: "ready", counts: { ...noCounts, online: 2 } } },
  );
  return machine;
}

/** A deploy with call 5 is in the master's hands. */
export function deploying(client = other): Machine {
  const machine = running();
  machine.post(
    { type: "deploy", call: 5, client, deploy: { id: "d" } },
    { type: "resolved", call: 5, launch },
  );
  return machine;
}

/** The master has been told to stop, by call 8. */
export function stopping(): Machine {
  const machine = running();
  machine.post({ type: "stop", call: 8, client: other, stop: {} });
  return machine;
}

/** The master is dead, and the next one is due. */
export function masterless(): Machine {
  const machine = running();
  machine.post({ type: "masterExited", how: "was killed by SIGKILL" });
  return machine;
}

/** Everything is over. */
export function gone(): Machine {
  const machine = stopping();
  machine.post({ type: "masterExited", how: "exited with code 0" }, { type: "closed" });
  return machine;
}
