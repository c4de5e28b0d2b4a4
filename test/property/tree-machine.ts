/** The simulated machine: processes that are born, held and killed, and the connections between them. */
import { type Clock, createClock, type Due, schedule } from "./world-clock.js";

export type Kind = "daemon" | "master" | "worker" | "client";

export interface Process {
  readonly pid: number;
  readonly kind: Kind;
  /** Who has started it. */
  readonly parent: Process | null;
  alive: boolean;
  /** Stopped by a signal, or just not let run. */
  held: "stopped" | "starved" | null;
  /** How it was held last, until when, and since when nobody can have heard of it. */
  lastHeld: "stopped" | "starved" | null;
  releasedAt: number;
  quietSince: number;
  /** When it was held, and since when it has been running. */
  heldAt: number;
  freeAt: number;
  /** How many more calls to the system it makes before it is killed. */
  fuse: number | null;
  /** What it has to do as soon as it runs again. */
  readonly backlog: { readonly isTimer: boolean; readonly run: () => void }[];
  readonly mourners: (() => void)[];
}

export interface Connection {
  /** `run` happens at the other end. */
  send(from: Process, run: () => void): void;
  /** Sends descriptors: the end of a channel is not told to one of which some were not taken. */
  carry(from: Process): void;
  onClose(at: Process, run: () => void): void;
  close(by: Process): void;
}

export interface Machine {
  readonly clock: Clock;
  /** Those that live. */
  readonly processes: Set<Process>;
  /** When it was last woken from a sleep that can be noticed. */
  wokeAt: number;
  /** Dead at once when its parent is. */
  spawn(kind: Kind, parent: Process | null): Process;
  /** A call to the system: false for one that does not live to make it. */
  enter(process: Process): boolean;
  /** A timer. */
  after(process: Process, ms: number, run: () => void): Due;
  every(process: Process, ms: number, run: () => void): { stop(): void };
  kill(process: Process): void;
  hold(process: Process, how: "stopped" | "starved"): void;
  release(process: Process): void;
  connect(one: Process, other: Process): Connection;
}

/** Milliseconds, and whether whoever lives on is not told of the end of a connection, each in turn. */
export interface Conditions {
  readonly latencies: readonly number[];
  readonly mutes: readonly boolean[];
}

/** More than any history that ends needs. */
const mostTicks = 300_000;
/** Milliseconds after which a parent takes a channel for closed whose other end it has seen die. */
const exitPatience = 500;
const longestAfterDeath = 5;

/** Milliseconds that a message takes at the most. */
export const longestWay = 800;
/** Milliseconds: a shorter hold or sleep escapes who was held or slept. */
export const noticed = 1_000;

export function createMachine({ latencies, mutes }: Conditions): Machine {
  const clock = createClock(mostTicks);
  const processes = new Set<Process>();
  const turns = new Map<readonly unknown[], number>();
  let lastPid = 100;

  function next<T>(list: readonly T[], otherwise: T): T {
    const turn = turns.get(list) ?? 0;
    turns.set(list, turn + 1);
    return list[turn % Math.max(1, list.length)] ?? otherwise;
  }

  function run(process: Process, isTimer: boolean, what: () => void): void {
    if (!process.alive) return;
    if (process.held) process.backlog.push({ isTimer, run: what });
    else what();
  }

  const machine: Machine = {
    clock,
    processes,
    wokeAt: 0,
    spawn(kind, parent) {
      const alive = parent === null || machine.enter(parent);
      lastPid += 1;
      const process: Process = {
        pid: lastPid,
        kind,
        parent,
        alive,
        held: null,
        lastHeld: null,
        releasedAt: Number.NEGATIVE_INFINITY,
        quietSince: 0,
        heldAt: 0,
        freeAt: clock.now,
        fuse: null,
        backlog: [],
        mourners: [],
      };
      if (alive) processes.add(process);
      return process;
    },
    enter(process) {
      if (!process.alive) return false;
      if (process.fuse === null) return true;
      process.fuse -= 1;
      if (process.fuse < 0) machine.kill(process);
      return process.alive;
    },
    after: (process, ms, what) => schedule(clock, ms, () => run(process, true, what)),
    every(process, ms, what) {
      let stopped = false;
      const again = (): void =>
        void machine.after(process, ms, () => {
          if (stopped) return;
          what();
          if (!stopped) again();
        });
      again();
      return {
        stop() {
          stopped = true;
        },
      };
    },
    kill(process) {
      if (!process.alive) return;
      process.alive = false;
      process.backlog.length = 0;
      processes.delete(process);
      for (const mourn of process.mourners.splice(0)) mourn();
    },
    hold(process, how) {
      if (!process.alive || process.held) return;
      process.held = how;
      process.lastHeld = how;
      if (clock.now - process.releasedAt > longestWay) process.quietSince = clock.now;
      process.heldAt = clock.now;
    },
    release(process) {
      if (!process.held) return;
      process.held = null;
      process.releasedAt = clock.now;
      if (clock.now - process.heldAt > noticed) process.freeAt = clock.now;
      const waiting = process.backlog.splice(0);
      // As an event loop does.
      for (const each of waiting.filter(({ isTimer }) => isTimer)) run(process, true, each.run);
      for (const each of waiting.filter(({ isTimer }) => !isTimer)) run(process, false, each.run);
    },
    connect(one, other) {
      const arrivals = new Map<Process, number>();
      const onTheirWay = new Map<Process, Set<Due>>();
      const listeners = new Map<Process, (() => void)[]>();
      const carriers = new Set<Process>();
      let closed = false;
      const arrive = (at: Process, what: () => void): void => {
        const due = Math.max(arrivals.get(at) ?? 0, clock.now + next(latencies, 1));
        arrivals.set(at, due);
        travel(at, due - clock.now, what);
      };
      const travel = (at: Process, ms: number, what: () => void): void => {
        const others = onTheirWay.get(at) ?? new Set();
        onTheirWay.set(at, others);
        const due = schedule(clock, ms, () => {
          others.delete(due);
          run(at, false, what);
        });
        others.add(due);
      };
      // What a dead process has written is there to be read.
      const hurry = (at: Process): void => {
        const late = [...(onTheirWay.get(at) ?? [])].filter((due) => due.at > clock.now + longestAfterDeath);
        for (const due of late) {
          due.cancelled = true;
          schedule(clock, longestAfterDeath, due.run);
        }
        arrivals.set(at, Math.min(arrivals.get(at) ?? 0, clock.now + longestAfterDeath));
      };
      const otherEnd = (process: Process): Process => (process === one ? other : one);
      const end = (at: Process): void => {
        const told = listeners.get(at)?.splice(0) ?? [];
        for (const tell of told) tell();
      };
      const die = (dead: Process): void => {
        if (closed) return;
        closed = true;
        const survivor = otherEnd(dead);
        hurry(survivor);
        const isMuted = carriers.has(survivor) && next(mutes, false);
        if (!isMuted) arrive(survivor, () => end(survivor));
        else if (dead.parent === survivor)
          schedule(clock, exitPatience, () => arrive(survivor, () => end(survivor)));
      };
      for (const process of [one, other]) {
        if (process.alive) process.mourners.push(() => die(process));
      }
      if (!one.alive || !other.alive) die(one.alive ? other : one);
      return {
        send(from, what) {
          if (!machine.enter(from) || closed) return;
          arrive(otherEnd(from), what);
        },
        carry: (from) => void carriers.add(from),
        onClose(at, tell) {
          listeners.set(at, [...(listeners.get(at) ?? []), tell]);
        },
        close(by) {
          if (closed || !machine.enter(by)) return;
          closed = true;
          arrive(otherEnd(by), () => end(otherEnd(by)));
          arrive(by, () => end(by));
        },
      };
    },
  };
  return machine;
}
