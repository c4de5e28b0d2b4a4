/** The faults in answering, counting and stopping that the simulated world has to catch. */
import {
  addWorker,
  alterWorker,
  append,
  change,
  drop,
  type Fault,
  ignore,
  says,
  tell,
} from "./world-fault.js";

const noCounts = { booting: 0, online: 0, dying: 0, new_online: 0 };

export const callFaults: readonly Fault[] = [
  {
    does: "answers only the first of several callers",
    breaks: ["answers"],
    plant: change(({ pool, effects }) => {
      const first = effects.findIndex(({ type }) => type === "reply");
      return { pool, effects: effects.filter(({ type }, i) => type !== "reply" || i === first) };
    }),
  },
  {
    does: "answers twice",
    breaks: ["answers"],
    plant: change((outcome) =>
      append(outcome, ...outcome.effects.filter(({ type }) => type === "reply").slice(0, 1)),
    ),
  },
  {
    does: "never answers who asks for an unknown deploy",
    breaks: ["answers"],
    plant: ignore(({ type }, { phase }) => type === "attachDeploy" && phase.name !== "rollout"),
  },
  {
    does: "never says whom it waits for",
    breaks: ["told5"],
    plant: drop((effect) => effect.type === "setTimer" && effect.timer.kind === "waiting"),
  },
  {
    does: "counts a killed worker as gone",
    breaks: ["counts"],
    plant: change(({ pool, effects }) => {
      return { pool: { ...pool, workers: pool.workers.filter(({ killed }) => !killed) }, effects };
    }),
  },
  {
    does: "counts before it changes",
    breaks: ["counts"],
    plant: change(({ pool, effects }) => {
      let last = noCounts;
      const late = effects.map((effect) => {
        if (effect.type !== "emit") return effect;
        const { counts } = effect.event;
        const told = { ...effect, event: { ...effect.event, counts: last } };
        last = counts;
        return told;
      });
      return { pool, effects: late };
    }),
  },
  {
    does: "believes a late online of a worker that was asked to go",
    breaks: ["counts"],
    plant: change((outcome, { workers }, message) => {
      const late = workers.find(
        ({ id, status }) => message.type === "online" && id === message.worker && status === "dying",
      );
      if (!late) return outcome;
      const pool = alterWorker(outcome.pool, late.id, { status: "online", leaves: null });
      return append({ pool, effects: outcome.effects }, tell("WorkerOnline", pool, late));
    }),
  },
  {
    does: "misses the exit of a worker that it had not asked to go",
    breaks: ["counts"],
    plant: ignore(
      (message, { workers }) =>
        message.type === "exit" && workers.some(({ id, leaves }) => id === message.worker && leaves === null),
    ),
  },
  {
    does: "ignores a stop while a deploy is in flight",
    breaks: ["told"],
    plant: ignore(
      ({ type }, { phase }) => type === "stop" && phase.name === "rollout" && phase.kind === "deploy",
    ),
  },
  {
    does: "lets no second stop shorten the first",
    breaks: ["deadline"],
    plant: drop(
      (effect, { phase }, { type }) =>
        type === "stop" &&
        phase.name === "stop" &&
        effect.type === "setTimer" &&
        effect.timer.kind === "stop",
    ),
  },
  {
    does: "forgets one worker when a stop's timeout comes",
    breaks: ["destroyed", "told"],
    plant: change((outcome, before, message) => {
      if (message.type !== "timer" || message.timer.kind !== "stop") return outcome;
      const [spared] = before.workers.filter(({ killed }) => !killed);
      if (!spared) return outcome;
      const effects = outcome.effects.filter(
        (effect) => effect.type !== "kill" || effect.worker !== spared.id,
      );
      return { pool: outcome.pool, effects };
    }),
  },
  {
    does: "ends while workers live",
    breaks: ["end"],
    plant: change((outcome, _before, { type }) => {
      const { pool } = outcome;
      if (type !== "stop" || pool.phase.name !== "stop" || pool.workers.length === 0) return outcome;
      return append(
        { pool: { ...pool, phase: { name: "gone" } }, effects: outcome.effects },
        { type: "end" },
      );
    }),
  },
  {
    does: "replaces workers while it stops",
    breaks: ["silence"],
    plant: change((outcome, _before, { type }) =>
      type === "exit" && outcome.pool.phase.name === "stop" ? addWorker(outcome, 0) : outcome,
    ),
  },
  {
    does: "never ends",
    breaks: ["answers", "settles", "told5"],
    plant: change((outcome, { phase }) => {
      if (phase.name !== "stop" || outcome.pool.phase.name !== "gone") return outcome;
      const effects = outcome.effects.filter(({ type }) => type !== "reply" && type !== "end");
      return { pool: { ...outcome.pool, phase }, effects };
    }),
  },
  {
    does: "says Ready whenever a worker is online again",
    breaks: ["ready"],
    plant: change((outcome) => {
      const early = tell("Ready", outcome.pool, null);
      return says(outcome, "WorkerOnline") ? append(outcome, early) : outcome;
    }),
  },
];
