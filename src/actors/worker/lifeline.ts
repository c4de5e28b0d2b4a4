/**
 * The lifeline: a worker's own connection to the daemon, which holds when its master dies. The daemon says on it when to
 * go. It is opened before any of the application's code runs, so that no later change of user stands in its way.
 */
import { createRequire } from "node:module";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { clearTimeout, setTimeout } from "node:timers";
import type { Handle } from "../../protocol/contract.js";
import { openFrames } from "../../protocol/frames.js";
import { LifelineGuest, LifelineHost } from "../../protocol/lifeline.js";
import { connect } from "../../protocol/peer.js";
import type { DrainTimes } from "../../protocol/types.js";
import { type LifelineNote, lifelineVariable } from "../lifeline-variable.js";
import { decideAlone, isFirst, pause } from "./despair.js";
import type { reviveDaemon } from "./revival.js";

export interface Lifeline {
  /** Nobody has to be reached any more. */
  close(): void;
}

export interface LifelineFacts {
  /** The daemon, whichever it is by then, wants this worker to go. */
  leave(times: DrainTimes): void;
  /** Whether the master is gone, and the worker is not about to leave. */
  isStranded(): boolean;
  sockets(): readonly (readonly [key: string, handle: Handle])[];
}

/** Undefined: this worker has no daemon. */
export function holdLifeline({ leave, isStranded, sockets }: LifelineFacts): Lifeline | undefined {
  const note = takeNote();
  if (!note) return undefined;
  const { ipcFile, token, master, worker, times } = note;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  /** Tries in vain since there was a daemon. */
  let tries = 0;
  let isReviving = false;

  function reach(): void {
    const socket = connectSocket(ipcFile);
    // Whether the process lives is for the application to say.
    socket.unref();
    socket.once("connect", () => {
      tries = 0;
    });
    socket.once("close", () => {
      tries += 1;
      if (isStranded()) despair();
      if (!closed) timer = setTimeout(reach, pause * (0.75 + Math.random() / 2)).unref();
    });
    const { client } = connect(openFrames(socket), LifelineGuest, {}, LifelineHost);
    client.lifeline({ worker: { ...worker, pid: process.pid }, master, token }).then(
      (times) => leave(times),
      // Another server's daemon, or one that is about to end: there may be another one later.
      () => socket.destroy(),
    );
  }

  // Nobody else is left to bring the daemon back. Those who try together are told apart by the daemon's lock.
  function despair(): void {
    const next = decideAlone(tries);
    if (next === "leave") return leave(times);
    if (next === "wait" || isReviving) return;
    isReviving = true;
    revive(ipcFile, sockets(), !isFirst(tries))
      .catch(() => {})
      .finally(() => {
        isReviving = false;
      });
  }

  reach();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

// Loaded from the disk at last; where it is missing, nothing is lost but the revival.
const revive: typeof reviveDaemon = async (...args) => {
  const file = join(import.meta.dirname, "revive.cjs");
  const program = createRequire(file)(file) as { reviveDaemon: typeof reviveDaemon };
  await program.reviveDaemon(...args);
};

function takeNote(): LifelineNote | undefined {
  const text = process.env[lifelineVariable];
  // Neither the application nor what it starts is to pass for this worker.
  delete process.env[lifelineVariable];
  return text === undefined ? undefined : (JSON.parse(text) as LifelineNote);
}
