/** The faults that the simulated world has to catch. */
import { step } from "../../src/actors/master/pool/pool.js";
import type { PoolWorker } from "../../src/actors/master/pool/state.js";
import type { ResolvedLaunch } from "../../src/protocol/types.js";
import {
  addWorker,
  alterWorker,
  append,
  change,
  drop,
  dropFirst,
  type Fault,
  findDeploy,
  findServing,
  ignore,
  type Outcome,
  says,
  tell,
} from "./world-fault.js";

/** Faults in the way from one generation to the next. */
const rolloutFaults: readonly Fault[] = [
  {
    does: "retires an old worker as soon as one new worker is online",
    breaks: ["oldStay"],
    plant: change((outcome) => {
      const old = findServing(outcome.pool);
      if (!old || !says(outcome, "NewOnline") || !findDeploy(outcome.pool, "booting")) return outcome;
      return letGo(outcome, old);
    }),
  },
  {
    does: "takes over when one new worker is missing",
    breaks: ["oldStay"],
    plant: miscount(-1),
  },
  {
    does: "does not take over when every new worker is online",
    breaks: ["settles"],
    plant: miscount(1),
  },
  {
    does: "asks one old worker too few to shut down",
    breaks: ["told"],
    plant: dropFirst((effect, { type }) => effect.type === "shutdown" && type === "online"),
  },
  {
    does: "forgets to kill one new worker of a deploy that failed",
    breaks: ["told"],
    plant: dropFirst((effect, { type }) => effect.type === "kill" && type === "exit"),
  },
  {
    does: "kills an old worker, too, when a deploy is aborted",
    breaks: ["oldStay", "capacity"],
    plant: change((outcome, before, { type }) => {
      const old = findServing(outcome.pool);
      return old && type === "abortDeploy" && findDeploy(before, "booting") ? letGo(outcome, old) : outcome;
    }),
  },
  {
    does: "commits the launch when a deploy begins",
    breaks: ["noTrace"],
    plant: change((outcome, { serving }, { type }) => {
      const deploy = findDeploy(outcome.pool, "booting");
      if (!deploy || !serving || type !== "deploy") return outcome;
      return { ...outcome, pool: { ...outcome.pool, serving: { ...serving, launch: deploy.coming.launch } } };
    }),
  },
  {
    does: "keeps the new worker count after a deploy that failed or was aborted",
    breaks: ["noTrace"],
    plant: change((outcome, before) => {
      const deploy = findDeploy(before, "destroying");
      const { phase, serving } = outcome.pool;
      if (!deploy || !serving || phase.name !== "rest") return outcome;
      const { workerCount } = deploy.coming;
      return { ...outcome, pool: { ...outcome.pool, serving: { ...serving, workerCount } } };
    }),
  },
  {
    does: "kills nobody when a deploy is aborted while old workers leave",
    breaks: ["destroyed"],
    plant: change((outcome, before, message) => {
      const deploy = findDeploy(before, "leaving");
      if (!deploy || message.type !== "abortDeploy") return outcome;
      const phase = { ...deploy, aborters: [...deploy.aborters, message.call] };
      return { pool: { ...before, phase }, effects: [] };
    }),
  },
  {
    does: "forgets a deploy's timeout",
    breaks: ["deadline"],
    plant: drop((effect) => effect.type === "setTimer" && effect.timer.kind === "deploy"),
  },
  {
    does: "says done while old workers still leave",
    breaks: ["answers"],
    plant: change((outcome) => {
      const deploy = findDeploy(outcome.pool, "leaving");
      const [call] = deploy?.callers ?? [];
      if (!deploy || call === undefined) return outcome;
      const counts = { booting: 0, online: 0, dying: 0, new_online: 0 };
      const result = { deploy: deploy.id, outcome: "done", counts, killed: 0 } as const;
      const { pool, effects } = append(outcome, { type: "reply", call, result });
      return { pool: { ...pool, phase: { ...deploy, callers: deploy.callers.slice(1) } }, effects };
    }),
  },
  {
    does: "calls a failed deploy done",
    breaks: ["truth"],
    plant: change(({ pool, effects }) => ({
      pool,
      effects: effects.map((effect) =>
        effect.type === "reply" && "killed" in effect.result && effect.result.outcome === "failed"
          ? { ...effect, result: { ...effect.result, outcome: "done" } }
          : effect,
      ),
    })),
  },
];

/** Faults in keeping the slots filled. */
const slotFaults: readonly Fault[] = [
  {
    does: "replaces nobody while a deploy is in flight",
    breaks: ["filled"],
    plant: change((outcome, before, { type }) => {
      if (before.phase.name !== "rollout" || type === "deploy") return outcome;
      const forked = (worker: PoolWorker | null): boolean => (worker?.id ?? 0) >= before.nextWorker;
      const workers = outcome.pool.workers.filter((worker) => !forked(worker));
      const effects = outcome.effects.filter(
        (effect) =>
          !(
            typeof effect === "object" &&
            "worker" in effect &&
            typeof effect.worker === "object" &&
            forked(effect.worker)
          ),
      );
      return { pool: { ...outcome.pool, workers }, effects };
    }),
  },
  {
    does: "never backs off",
    breaks: ["spin"],
    plant: change(({ pool, effects }) => ({ pool: { ...pool, backoff: new Map() }, effects })),
  },
  {
    does: "holds the failures of the old launch against the new one",
    breaks: ["spin", "filled"],
    plant: change((outcome, { backoff }) => {
      const tookOver = outcome.effects.some(({ type }) => type === "serving");
      return tookOver ? { ...outcome, pool: { ...outcome.pool, backoff } } : outcome;
    }),
  },
  {
    does: "sleeps through the end of a back-off",
    breaks: ["filled"],
    plant: ignore((message) => message.type === "timer" && message.timer.kind === "slot"),
  },
  {
    does: "forks into a slot that is taken",
    breaks: ["oneEach"],
    plant: change((outcome, _before, { type }) =>
      type === "status" && findServing(outcome.pool)
        ? addWorker(outcome, findServing(outcome.pool)?.slot ?? 0)
        : outcome,
    ),
  },
  {
    does: "forks for a slot beyond the count",
    breaks: ["oneEach"],
    plant: change((outcome) =>
      says(outcome, "Ready") ? addWorker(outcome, outcome.pool.serving?.workerCount ?? 0) : outcome,
    ),
  },
  {
    does: "replaces workers with the launch of a deploy that failed",
    breaks: ["launch"],
    plant: () => {
      let latest: ResolvedLaunch | undefined;
      return (pool, message, now) => {
        const outcome = step(pool, message, now);
        if (message.type === "deploy" || message.type === "start") latest = message.launch;
        const launch = latest;
        if (!launch) return outcome;
        const effects = outcome.effects.map((effect) =>
          effect.type === "fork" ? { ...effect, launch } : effect,
        );
        return { pool: outcome.pool, effects };
      };
    },
  },
  {
    does: "uses the id of a worker again",
    breaks: ["ids"],
    plant: change((outcome) => {
      const nextWorker = 1 + Math.max(0, ...outcome.pool.workers.map(({ id }) => id));
      return { ...outcome, pool: { ...outcome.pool, nextWorker } };
    }),
  },
  {
    does: "retires a worker twice that says offline twice",
    breaks: ["capacity", "told"],
    plant: change((outcome, { workers }, message) => {
      const dying = workers.find(
        (worker) => message.type === "offline" && worker.id === message.worker && worker.killed === false,
      );
      return dying?.status === "dying" ? letGo(outcome, dying, "WorkerOffline") : outcome;
    }),
  },
];

/** Waits for so many more new workers than there are. */
function miscount(more: number): Fault["plant"] {
  return () => (pool, message, now) => {
    const deploy = findDeploy(pool, "booting");
    const awaited = (deploy?.coming.workerCount ?? 0) + more;
    if (!deploy || message.type !== "online" || awaited < 1) return step(pool, message, now);
    const coming = { ...deploy.coming, workerCount: awaited };
    const outcome = step({ ...pool, phase: { ...deploy, coming } }, message, now);
    const phase = findDeploy(outcome.pool, "booting");
    if (!phase) return outcome;
    return { ...outcome, pool: { ...outcome.pool, phase: { ...phase, coming: deploy.coming } } };
  };
}

/** Asks a worker to go that should have been left alone. */
function letGo(
  { pool, effects }: Outcome,
  worker: PoolWorker,
  event: "ShutdownOld" | "WorkerOffline" = "ShutdownOld",
): Outcome {
  const altered = alterWorker(pool, worker.id, { status: "dying", leaves: "OldExit" });
  const order = { type: "shutdown", worker: worker.id, times: { grace: 0, timeout: 0 } } as const;
  return append({ pool: altered, effects }, tell(event, altered, worker), order);
}

export const poolFaults: readonly Fault[] = [...rolloutFaults, ...slotFaults];
