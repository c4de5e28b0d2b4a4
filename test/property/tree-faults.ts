/** Faults in what keeps a whole server alive, which the simulated tree has to catch. */
import type { Daemon, Effect, Message } from "../../src/actors/daemon/state.js";
import type { Brain } from "./tree-brain.js";
import { realBrain } from "./tree-brain.js";
import type { PromiseName } from "./tree-promises.js";

export interface TreeFault {
  /** Ends the sentence "a server whose …". */
  readonly does: string;
  /** The promise that it breaks, or each that it may break first. */
  readonly breaks: readonly PromiseName[];
  /** A new one for every history. */
  readonly plant: () => Brain;
}

type Turn = ReturnType<Brain["daemonStep"]>;

/** A daemon that does what it does, and then something is changed about it. */
function daemon(
  alter: (turn: Turn, before: Daemon, message: Message, time: string, at: number) => Turn,
): TreeFault["plant"] {
  return () => ({
    ...realBrain,
    daemonStep: (before, message, time, at) =>
      alter(realBrain.daemonStep(before, message, time, at), before, message, time, at),
  });
}

const drop = (meant: (effect: Effect, message: Message) => boolean): TreeFault["plant"] =>
  daemon(({ state, effects }, _before, message) => ({
    state,
    effects: effects.filter((effect) => !meant(effect, message)),
  }));

const change =
  (changes: Partial<Brain>): TreeFault["plant"] =>
  () => ({ ...realBrain, ...changes });

const isOrderToGo = (effect: Effect): boolean => effect.type === "reply" && "grace" in effect.result;

const daemonFaults: readonly TreeFault[] = [
  {
    does: "daemon never tells a stray to go",
    breaks: ["noOrphan", "noStray"],
    plant: drop(isOrderToGo),
  },
  {
    does: "daemon does not take a worker in that it has never heard of",
    breaks: ["noOrphan"],
    plant: daemon((turn, before, message) => {
      if (message.type !== "lifeline" || message.master === before.masters) return turn;
      const isKnown = before.strays.has(message.worker.pid);
      return isKnown ? turn : { state: before, effects: [] };
    }),
  },
  {
    does: "next daemon does not look whether the strays of the last one are gone",
    breaks: ["noStray", "over", "answered"],
    plant: drop((effect, message) => effect.type === "watchProcess" && message.type === "inherited"),
  },
  {
    does: "next daemon numbers events from 1 again",
    breaks: ["numbers", "watching"],
    plant: daemon((turn, _before, message) =>
      message.type === "inherited" ? { ...turn, state: { ...turn.state, sequence: 0 } } : turn,
    ),
  },
  {
    does: "daemon sends strays away as soon as their master is dead",
    breaks: ["capacity"],
    plant: daemon((turn, before, message, time, at) => {
      const { serving } = before;
      if (message.type !== "masterExited" || before.life !== "running" || !serving) return turn;
      const next = realBrain.daemonStep(turn.state, { type: "masterServing", serving }, time, at);
      return { state: next.state, effects: [...turn.effects, ...next.effects] };
    }),
  },
  {
    does: "daemon answers a deploy twice when its master has died",
    breaks: ["once"],
    plant: daemon((turn, _before, { type }) => ({
      ...turn,
      effects: turn.effects.flatMap((effect) =>
        effect.type === "reply" && type === "masterExited" && "deploy" in effect.result
          ? [effect, effect]
          : [effect],
      ),
    })),
  },
  {
    does: "daemon forgets the calls that its dead master was asked to answer",
    breaks: ["answered"],
    plant: drop(({ type }, message) => type === "reply" && message.type === "masterExited"),
  },
  {
    does: "daemon starts no other master",
    breaks: ["oneMaster", "oneEach"],
    plant: drop((effect) => effect.type === "later" && effect.message.type === "reviveMaster"),
  },
  {
    does: "daemon forgets what a deploy has brought",
    breaks: ["remembered", "oneEach", "noOrphan", "capacity"],
    plant: daemon((turn, before, message) =>
      message.type === "masterServing" && message.serving.deploy !== undefined
        ? { state: before, effects: [] }
        : turn,
    ),
  },
  {
    does: "daemon does not pass a stop on",
    breaks: ["over", "answered"],
    plant: drop((effect) => effect.type === "askMaster" && effect.ask.method === "stop"),
  },
  {
    does: "daemon does not tell that the server is ready",
    breaks: ["watching", "numbers"],
    plant: drop((effect) => effect.type === "event" && effect.event.name === "Ready"),
  },
  {
    does: "daemon kills a worker when the time of day has leapt, because it seems not to have been heard of",
    breaks: ["wall"],
    plant: () => {
      let last = "";
      return {
        ...realBrain,
        daemonStep(before, message, time, at) {
          const turn = realBrain.daemonStep(before, message, time, at);
          const leapt = last !== "" && Math.abs(Date.parse(time) - Date.parse(last)) > 3_600_000;
          last = time;
          const [first] = before.workers.values();
          return leapt && first
            ? { ...turn, effects: [...turn.effects, { type: "killProcess", pid: first.worker.pid }] }
            : turn;
        },
      };
    },
  },
];

const otherFaults: readonly TreeFault[] = [
  {
    does: "processes count a sleep of their own as the other's silence",
    breaks: ["patient"],
    plant: change({
      countTick: ({ missed, last }, now) => ({
        missed: missed + Math.max(1, Math.round((now - last) / 250)),
        last: now,
      }),
    }),
  },
  {
    does: "processes give a busy one up as soon as a stopped one",
    breaks: ["patient"],
    plant: change({ judgeSilence: ({ missed }) => (missed < 8 ? null : "has been stopped") }),
  },
  {
    does: "processes never give one up that is stopped",
    breaks: ["bounded"],
    plant: change({ judgeSilence: (silence) => realBrain.judgeSilence(silence, () => false) }),
  },
  {
    does: "workers wait for somebody else to bring the daemon back",
    breaks: ["oneDaemon"],
    plant: change({ decideAlone: () => "wait" }),
  },
  {
    does: "master gives up when its daemon dies",
    breaks: ["alive", "capacity"],
    plant: change({
      succeed: (state, fact) =>
        realBrain.succeed(state, fact.type === "lost" ? { ...fact, isReplaceable: false } : fact),
    }),
  },
  {
    does: "master does not tell the next daemon what the last one has not dealt with",
    breaks: ["noStray", "oneEach"],
    plant: change({
      succeed(state, fact) {
        const next = realBrain.succeed(state, fact);
        if (fact.type !== "found") return next;
        return { ...next, effects: next.effects.filter(({ type }) => type !== "event") };
      },
    }),
  },
  {
    does: "master tells the next daemon everything once more",
    breaks: ["twice", "noStray"],
    plant: change({
      succeed: (state, fact) =>
        fact.type === "heard" ? { state, effects: [] } : realBrain.succeed(state, fact),
    }),
  },
  {
    does: "master does not see that a worker has died",
    breaks: ["oneEach", "noStray"],
    plant: change({
      poolStep: (pool, message, now) =>
        message.type === "exit" && pool.phase.name === "rest"
          ? { pool, effects: [] }
          : realBrain.poolStep(pool, message, now),
    }),
  },
  {
    does: "daemon writes down nothing for the next one",
    breaks: ["known"],
    plant: change({
      createKeeper: (send, _write, patience) => realBrain.createKeeper(send, () => {}, patience),
    }),
  },
];

export const treeFaults: readonly TreeFault[] = [...daemonFaults, ...otherFaults];
