/**
 * The lifeline: a worker's own connection to the daemon, which holds when its master dies. The daemon says on it when to
 * go. It is opened before any of the application's code runs, so that no later change of user stands in its way.
 */
import { connect as connectSocket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import { openFrames } from "../../protocol/frames.js";
import { LifelineGuest, LifelineHost } from "../../protocol/lifeline.js";
import { connect } from "../../protocol/peer.js";
import type { DrainTimes } from "../../protocol/types.js";
import { type LifelineNote, lifelineVariable } from "../lifeline-variable.js";

/** Milliseconds between two tries to reach a daemon, give or take a quarter: many workers try at once. */
const pause = 200;

export interface Lifeline {
  /** Nobody has to be reached any more. */
  close(): void;
}

/** Undefined: this worker has no daemon. `leave` is called when the daemon, whichever it is by then, wants it to go. */
export function holdLifeline(leave: (times: DrainTimes) => void): Lifeline | undefined {
  const note = takeNote();
  if (!note) return undefined;
  const { ipcFile, token, master, worker } = note;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  function reach(): void {
    const socket = connectSocket(ipcFile);
    // Whether the process lives is for the application to say.
    socket.unref();
    socket.once("close", () => {
      if (!closed) timer = setTimeout(reach, pause * (0.75 + Math.random() / 2)).unref();
    });
    const { client } = connect(openFrames(socket), LifelineGuest, {}, LifelineHost);
    client.lifeline({ worker: { ...worker, pid: process.pid }, master, token }).then(
      (times) => leave(times),
      // Another server's daemon, or one that is about to end: there may be another one later.
      () => socket.destroy(),
    );
  }

  reach();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

function takeNote(): LifelineNote | undefined {
  const text = process.env[lifelineVariable];
  // Neither the application nor what it starts is to pass for this worker.
  delete process.env[lifelineVariable];
  return text === undefined ? undefined : (JSON.parse(text) as LifelineNote);
}
