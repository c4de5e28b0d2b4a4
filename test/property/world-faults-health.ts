/** Faults in how the pool treats workers that hang or use too much memory. */
import type { Fault } from "./world-fault.js";
import { append, change, findServing, ignore, tell } from "./world-fault.js";

export const healthFaults: readonly Fault[] = [
  {
    does: "takes a starved worker for one that hangs",
    breaks: ["patient"],
    plant: () => {
      const plain = ignore(() => false)();
      return (pool, message, now) =>
        plain(pool, message.type === "silent" ? { ...message, share: 1 } : message, now);
    },
  },
  {
    does: "never hears silence",
    breaks: ["unwell"],
    plant: ignore(({ type }) => type === "silent"),
  },
  {
    does: "forgets a worker that hangs once it is retired",
    breaks: ["unwell"],
    plant: ignore(
      (message, { workers }) =>
        message.type === "silent" &&
        workers.some(({ id, status }) => id === message.worker && status === "dying"),
    ),
  },
  {
    does: "never minds how much memory is used",
    breaks: ["unwell"],
    plant: ignore(({ type }) => type === "pulse"),
  },
  {
    does: "replaces workers that use too much all at once",
    breaks: ["unwell"],
    plant: change(({ pool, effects }) => ({
      pool: { ...pool, relievedAt: Number.NEGATIVE_INFINITY },
      effects,
    })),
  },
  {
    does: "asks a worker that uses too much to go before its replacement is online",
    breaks: ["capacity", "counts"],
    plant: change((outcome, before, message) => {
      const old = findServing(outcome.pool);
      if (!old || message.type !== "pulse" || before.relief || !outcome.pool.relief) return outcome;
      return append(outcome, tell("ShutdownOld", outcome.pool, old), {
        type: "shutdown",
        worker: old.id,
        times: outcome.pool.times,
      });
    }),
  },
];
