/** The simulated processes: each has a behaviour, and a plan that follows from it. */
import type { ResolvedLaunch } from "../../src/protocol/types.js";
import { type Clock, schedule } from "./world-clock.js";

export interface Behaviour {
  readonly boot: "online" | "never" | "throws" | "exits" | "says offline" | "cannot be forked";
  /** All times in milliseconds. */
  readonly bootTime: number;
  readonly life: "lasts" | "crashes" | "says offline" | "says offline twice";
  readonly lifeTime: number;
  readonly farewell: "leaves" | "ignores" | "says offline and leaves";
  readonly farewellTime: number;
  /** How long what it says is on its way. */
  readonly lag: number;
  /** How long its exit is on its way; less than `lag`, and the exit overtakes its last words. */
  readonly exitLag: number;
  /** What becomes of it, so many milliseconds after it said online. A starved one is kept from running. */
  readonly health: "fine" | "hangs" | "hangs for a while" | "starved" | "bloated";
  readonly healthTime: number;
}

export const goodBehaviour: Behaviour = {
  boot: "online",
  bootTime: 20,
  life: "lasts",
  lifeTime: 0,
  farewell: "leaves",
  farewellTime: 20,
  lag: 1,
  exitLag: 1,
  health: "fine",
  healthTime: 0,
};

/** What a launch makes of the workers that run it; in the script's name so that it travels with the launch. */
export type Quality = "good" | "mixed" | "bad" | "hangs" | "rotten";

export const limits = { hang: 30, memory: 100 };

export function makeLaunch(quality: Quality, name: string, limited = false): ResolvedLaunch {
  const script = `/${name}/${quality}`;
  const launch = { script, realScript: script, args: [], nodeArgs: [], env: {}, cwd: "/", realCwd: "/" };
  return limited ? { ...launch, limits } : launch;
}

/** `first`: forked by the boot or deploy itself, not as a replacement. A rotten launch boots once and never again. */
export function applyLaunch(behaviour: Behaviour, { script }: ResolvedLaunch, first: boolean): Behaviour {
  if (script.endsWith("/bad")) return { ...behaviour, boot: "throws" };
  if (script.endsWith("/hangs")) return { ...behaviour, boot: "never" };
  if (script.endsWith("/rotten")) return { ...behaviour, boot: first ? "online" : "throws" };
  if (script.endsWith("/good") && first) return { ...behaviour, boot: "online" };
  return behaviour;
}

export interface Process {
  readonly id: number;
  behaviour: Behaviour;
  alive: boolean;
  saidOnline: boolean;
  asked: boolean;
  doomed: boolean;
  /** Plans of an earlier number are off. */
  plan: number;
  /** Its channel keeps the order of its words. */
  lastArrival: number;
  /** Its event loop is blocked, and what it was to do is left undone. */
  mute: boolean;
  pinged: boolean;
  bloated: boolean;
}

export type Fact =
  | { readonly type: "pulse"; readonly worker: number; readonly memory: number; readonly inspected: boolean }
  | { readonly type: "silent"; readonly worker: number; readonly share: number; readonly doing: string }
  | { readonly type: "online" | "offline"; readonly worker: number }
  | { readonly type: "exit"; readonly worker: number; readonly how: string };

export interface Nursery {
  readonly clock: Clock;
  readonly deliver: (fact: Fact) => void;
  /** Told when a process stops answering, with the share of its time that it gets, and when it answers again. */
  readonly mute: (id: number, share: number | null) => void;
}

export function beBorn(nursery: Nursery, id: number, behaviour: Behaviour): Process {
  const process: Process = {
    id,
    behaviour,
    alive: true,
    saidOnline: false,
    asked: false,
    doomed: false,
    plan: 0,
    lastArrival: 0,
    mute: false,
    pinged: false,
    bloated: false,
  };
  if (behaviour.boot === "cannot be forked") die(nursery, process, "could not be started");
  else later(nursery, process, behaviour.bootTime, () => finishBoot(nursery, process));
  return process;
}

function finishBoot(nursery: Nursery, process: Process): void {
  const { boot, life, lifeTime } = process.behaviour;
  if (boot === "throws") return die(nursery, process, "exited with code 1");
  if (boot === "exits") return die(nursery, process, "exited with code 0");
  if (boot === "says offline") return say(nursery, process, "offline");
  if (boot !== "online") return;
  say(nursery, process, "online");
  if (process.behaviour.health !== "fine")
    later(nursery, process, process.behaviour.healthTime, () => fallIll(nursery, process));
  if (life === "lasts") return;
  later(nursery, process, lifeTime, () => {
    if (life === "crashes") return die(nursery, process, "exited with code 7");
    say(nursery, process, "offline");
    if (life === "says offline twice") say(nursery, process, "offline");
  });
}

/** The share of the time that counts as silence for a starved one. */
const starvedShare = 0.2;

function fallIll(nursery: Nursery, process: Process): void {
  const { health } = process.behaviour;
  if (health === "bloated") process.bloated = true;
  if (health === "bloated" || health === "fine") return;
  process.mute = true;
  process.plan += 1;
  nursery.mute(process.id, health === "starved" ? starvedShare : 1);
  if (health !== "hangs") later(nursery, process, illFor[health], () => recover(nursery, process));
}

/** Long enough to be retired for it, and too short. */
const illFor = { "hangs for a while": 45_000, starved: 100_000 };

function recover(nursery: Nursery, process: Process): void {
  process.mute = false;
  nursery.mute(process.id, null);
  if (process.pinged) answer(nursery, process);
  if (process.asked) getShutdown(nursery, process);
}

export function getPing(nursery: Nursery, process: Process, amends: boolean): void {
  const { clock, deliver } = nursery;
  if (process.pinged && !amends) {
    const share = process.behaviour.health === "starved" ? starvedShare : 1;
    schedule(clock, 0, () => deliver({ type: "silent", worker: process.id, share, doing: "waiting" }));
  }
  if (process.pinged) return;
  process.pinged = true;
  if (!process.mute) answer(nursery, process);
}

function answer({ clock, deliver }: Nursery, process: Process): void {
  const memory = process.bloated ? limits.memory + 1 : limits.memory;
  process.lastArrival = Math.max(process.lastArrival, clock.now + process.behaviour.lag);
  schedule(clock, process.lastArrival - clock.now, () => {
    if (!process.alive) return;
    process.pinged = false;
    deliver({ type: "pulse", worker: process.id, memory, inspected: false });
  });
}

export function say(nursery: Nursery, process: Process, word: "online" | "offline"): void {
  const { clock, deliver } = nursery;
  if (!process.alive || process.mute) return;
  if (word === "online") process.saidOnline = true;
  process.lastArrival = Math.max(process.lastArrival, clock.now + process.behaviour.lag);
  schedule(clock, process.lastArrival - clock.now, () => deliver({ type: word, worker: process.id }));
}

export function die(nursery: Nursery, process: Process, how: string): void {
  if (!process.alive) return;
  process.alive = false;
  const { clock, deliver } = nursery;
  schedule(clock, process.behaviour.exitLag, () => deliver({ type: "exit", worker: process.id, how }));
}

export function getShutdown(nursery: Nursery, process: Process): void {
  process.asked = true;
  if (process.mute) return;
  const { farewell, farewellTime } = process.behaviour;
  if (farewell === "ignores") return;
  later(nursery, process, farewellTime, () => {
    if (farewell === "says offline and leaves") say(nursery, process, "offline");
    die(nursery, process, "exited with code 0");
  });
}

/** The end that cannot be ignored. */
export function getKill(nursery: Nursery, process: Process): void {
  process.doomed = true;
  schedule(nursery.clock, process.behaviour.lag, () => die(nursery, process, "was killed by SIGKILL"));
}

/** From now on it does what a good server does; one that is to be retired for its health has to be, still. */
export function reform(nursery: Nursery, process: Process, limited: boolean): void {
  const { health } = process.behaviour;
  if (process.mute && limited) {
    process.behaviour = { ...goodBehaviour, health };
    return;
  }
  process.plan += 1;
  if (process.mute) recover(nursery, process);
  process.behaviour = { ...goodBehaviour, bootTime: process.behaviour.bootTime % 1000 };
  if (process.asked) getShutdown(nursery, process);
  else if (!process.saidOnline)
    later(nursery, process, process.behaviour.bootTime, () => finishBoot(nursery, process));
}

function later({ clock }: Nursery, process: Process, delay: number, run: () => void): void {
  const { plan } = process;
  schedule(clock, delay, () => {
    if (process.alive && process.plan === plan) run();
  });
}
