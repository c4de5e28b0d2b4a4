/** What the daemon's machine adds to the master's status: what serves and since when, who waits, and times of day. Pure. */
import type { ServingInfo, SlotInfo, Status } from "../../protocol/types.js";
import type { Daemon } from "./state.js";
import { describeStrays } from "./strays.js";
import { addStrays, type Turn } from "./turn.js";

export function completeStatus({ state, time }: Turn, status: Status): Status {
  const { workers, deploying, delays } = status;
  const serving = describeServing(state);
  const slots = describeSlots(state, time, status);
  const all = [...workers, ...describeStrays(state, time)];
  return {
    ...status,
    counts: addStrays(status.counts, state),
    workers: all.map((worker) =>
      worker.since === undefined ? { ...worker, since: shift(time, -worker.seconds) } : worker,
    ),
    ...(deploying
      ? {
          deploying: {
            ...deploying,
            since: shift(time, -deploying.seconds),
            callers: countCallers(state, deploying.id),
          },
        }
      : {}),
    ...(delays ? { delays: delays.map((delay) => ({ ...delay, until: shift(time, delay.seconds) })) } : {}),
    ...(slots.length > 0 ? { slots } : {}),
    ...(serving ? { serving } : {}),
  };
}

// Deaths outlive the master that could tell of restarts.
function describeSlots({ deaths }: Daemon, time: string, { slots = [], delays }: Status): SlotInfo[] {
  const others = deaths
    .map(({ worker }) => worker.slot)
    .filter((slot) => slots.every((each) => each.slot !== slot));
  return [...slots, ...others.map((slot) => ({ slot, restarts: 0, failures: 0 }))].map((info) => {
    const delay = delays?.find(({ slot }) => slot === info.slot);
    const lastDeath = deaths.find(({ worker }) => worker.slot === info.slot);
    return {
      ...info,
      ...(delay ? { seconds: delay.seconds, until: shift(time, delay.seconds) } : {}),
      ...(lastDeath ? { lastDeath } : {}),
    };
  });
}

// The environment by its names only: its values are secrets.
function describeServing({ serving, servingSince }: Daemon): ServingInfo | null {
  if (!serving || servingSince === null) return null;
  const { generation, workerCount, launch } = serving;
  const { env, ...rest } = launch;
  return { generation, workerCount, since: servingSince, ...rest, env: listNames(env) };
}

// Sorted once per launch, not at each question.
const sorted = new WeakMap<object, string[]>();

function listNames(env: Readonly<Record<string, string>>): string[] {
  const names = sorted.get(env) ?? Object.keys(env).sort();
  sorted.set(env, names);
  return names;
}

function countCallers({ forwarded }: Daemon, id: string): number {
  const isWaiting = (kind: string): boolean => kind === "deploy" || kind === "attachDeploy";
  return [...forwarded.values()].filter(
    ({ client, kind, deploy }) => client !== 0 && deploy === id && isWaiting(kind),
  ).length;
}

export function shift(time: string, seconds: number): string {
  return new Date(Date.parse(time) + seconds * 1000).toISOString();
}
