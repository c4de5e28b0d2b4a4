/** The code under test: every decision that the simulated processes leave to the real ones. */
import { createKeeper } from "../../src/actors/daemon/keeper.js";
import { step as daemonStep } from "../../src/actors/daemon/machine.js";
import { createMemory } from "../../src/actors/master/memory.js";
import { step as poolStep } from "../../src/actors/master/pool/pool.js";
import { succeed } from "../../src/actors/master/succession.js";
import {
  beginSilence,
  countTick,
  hearSign,
  judgeSilence,
  tick,
  watchDeath,
} from "../../src/actors/silence.js";
import { decideAlone } from "../../src/actors/worker/despair.js";
import { catchUp, hearEvent, meetDaemon } from "../../src/client/sequel.js";
import type { Machine, Process } from "./tree-machine.js";

export interface Brain {
  readonly daemonStep: typeof daemonStep;
  readonly poolStep: typeof poolStep;
  readonly createKeeper: typeof createKeeper;
  readonly createMemory: typeof createMemory;
  readonly succeed: typeof succeed;
  readonly beginSilence: typeof beginSilence;
  readonly countTick: typeof countTick;
  readonly hearSign: typeof hearSign;
  readonly judgeSilence: typeof judgeSilence;
  readonly watchDeath: typeof watchDeath;
  readonly decideAlone: typeof decideAlone;
  readonly meetDaemon: typeof meetDaemon;
  readonly catchUp: typeof catchUp;
  readonly hearEvent: typeof hearEvent;
}

export const realBrain: Brain = {
  daemonStep,
  poolStep,
  createKeeper,
  createMemory,
  succeed,
  beginSilence,
  countTick,
  hearSign,
  judgeSilence,
  watchDeath,
  decideAlone,
  meetDaemon,
  catchUp,
  hearEvent,
};

export interface Heart {
  readonly process: Process;
  readonly other: Process;
  beat(): void;
  isStopped(): boolean;
  silent(how: string): boolean;
}

/** As `src/actors/pulse.ts` does with the timers of Node. */
export function startPulse(machine: Machine, brain: Brain, heart: Heart): { heard(): void; stop(): void } {
  const { clock } = machine;
  let silence = brain.beginSilence(clock.now);
  const timer = machine.every(heart.process, tick, () => {
    silence = brain.countTick(silence, clock.now);
    heart.beat();
    const how = brain.judgeSilence(silence, heart.isStopped);
    if (how === null) return;
    silence = brain.hearSign(silence);
    if (heart.silent(how)) timer.stop();
  });
  return {
    heard() {
      silence = brain.hearSign(silence);
    },
    stop: timer.stop,
  };
}
