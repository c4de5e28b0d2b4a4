/** The simulated world: the real pool, its effects carried out on simulated processes and timers, and an adversary. */
import { emptyPool, step } from "../../src/actors/master/pool/pool.js";
import type { CallId, Effect, Message, Pool, Timer } from "../../src/actors/master/pool/state.js";
import type { Deed, Move, Scenario } from "./world-adversary.js";
import { checkPeace, checkStep } from "./world-check.js";
import { type Clock, createClock, type Due, pass, schedule } from "./world-clock.js";
import { hear } from "./world-hear.js";
import { createModel, findSituation, type Model, noteMute } from "./world-model.js";
import { observe } from "./world-observe.js";
import {
  applyLaunch,
  beBorn,
  die,
  getKill,
  getPing,
  getShutdown,
  goodBehaviour,
  makeLaunch,
  type Nursery,
  type Process,
  reform,
  say,
} from "./world-process.js";

export type Step = typeof step;

interface World {
  readonly scenario: Scenario;
  readonly step: Step;
  readonly clock: Clock;
  readonly model: Model;
  readonly nursery: Nursery;
  readonly processes: Process[];
  readonly timers: Map<string, Due>;
  pool: Pool;
  fair: boolean;
  calls: number;
  deploys: number;
  timersSet: number;
  /** Told with every message, for whoever reads a failing history. */
  readonly tell: (line: string) => void;
}

/** Longer than the longest back-off and whatever a good process needs. */
const peace = 200_000;

/** Lives through the scenario and the peace after it; throws when a promise is broken. Returns what was reached. */
export function runHistory(
  scenario: Scenario,
  play: Step = step,
  tell: World["tell"] = () => {},
): ReadonlySet<string> {
  const world = createWorld(scenario, play, tell);
  const { clock, model } = world;
  if (scenario.start !== "nothing") begin(world);
  for (const move of scenario.moves) {
    bide(world, move);
    act(world, move.deed);
  }
  world.fair = true;
  for (const process of world.processes) if (process.alive) reform(world.nursery, process, scenario.limited);
  pass(clock, clock.now + peace);
  checkPeace(model, world.pool, world.processes);
  return model.reach;
}

function createWorld(scenario: Scenario, play: Step, tell: World["tell"]): World {
  const clock = createClock();
  const world: World = {
    scenario,
    step: play,
    clock,
    model: createModel(),
    nursery: {
      clock,
      deliver: (fact) => turn(world, fact),
      mute(id, share) {
        world.model.now = clock.now;
        noteMute(world.model, id, share);
      },
    },
    processes: [],
    timers: new Map(),
    pool: emptyPool,
    fair: false,
    calls: 0,
    deploys: 0,
    timersSet: 0,
    tell,
  };
  return world;
}

/** One message, run to completion. */
function turn(world: World, message: Message): void {
  const { model, clock } = world;
  model.now = clock.now;
  world.tell(`${clock.now} ${JSON.stringify(message)}`);
  const demand = hear(model, message);
  const { pool, effects } = world.step(world.pool, message, clock.now);
  world.pool = pool;
  for (const effect of effects) {
    world.tell(`  ${JSON.stringify(effect)}`);
    observe(model, effect, message);
    perform(world, effect, message);
  }
  checkStep(model, pool, demand);
}

function perform(world: World, effect: Effect, cause: Message): void {
  const { nursery, processes } = world;
  switch (effect.type) {
    case "fork": {
      const { id } = effect.worker;
      const first = cause.type === "deploy" || cause.type === "start";
      processes.push(beBorn(nursery, id, chooseBehaviour(world, effect, first)));
      return;
    }
    case "shutdown":
      return onLiving(world, effect.worker, getShutdown);
    case "kill":
      return onLiving(world, effect.worker, getKill);
    case "ping":
      return onLiving(world, effect.worker, (all, process) => getPing(all, process, effect.amends));
    case "setTimer":
      return setTimer(world, effect);
    case "clearTimer":
      return clearTimer(world, effect.timer);
  }
}

function onLiving(world: World, id: number, order: (nursery: Nursery, process: Process) => void): void {
  const process = world.processes.find((other) => other.id === id);
  if (process?.alive) order(world.nursery, process);
}

function chooseBehaviour(
  world: World,
  { worker, launch }: Extract<Effect, { type: "fork" }>,
  first: boolean,
) {
  const { behaviours, start, workerCount } = world.scenario;
  if (world.fair) return goodBehaviour;
  const behaviour = behaviours[worker.id - 1] ?? goodBehaviour;
  if (start === "booted" && worker.id <= workerCount) return { ...behaviour, ...quickBoot };
  return applyLaunch(behaviour, launch, first);
}

const quickBoot = { boot: "online", bootTime: 20, lag: 1 } as const;

function setTimer(world: World, { timer, seconds, jitter }: Extract<Effect, { type: "setTimer" }>): void {
  const { clock, timers, scenario } = world;
  clearTimer(world, timer);
  const turnOf = <T>(list: readonly T[]): T | undefined => list[world.timersSet % list.length];
  const factor = jitter ? 1 + (turnOf(scenario.jitters) ?? 0) / 4 : 1;
  const lag = turnOf(scenario.timerLags) ?? 0;
  world.timersSet += 1;
  const key = JSON.stringify(timer);
  const due = schedule(clock, seconds * 1000 * factor, () => {
    timers.delete(key);
    // From here on a clear comes too late.
    schedule(clock, lag, () => turn(world, { type: "timer", timer }));
  });
  timers.set(key, due);
}

function clearTimer({ timers }: World, timer: Timer): void {
  const key = JSON.stringify(timer);
  const due = timers.get(key);
  if (due) due.cancelled = true;
  timers.delete(key);
}

function begin(world: World): void {
  const { start, quality, workerCount } = world.scenario;
  const booted = start === "booted";
  const launch = makeLaunch(booted ? "mixed" : quality, "first", world.scenario.limited);
  const resume = start === "resumed";
  turn(world, { type: "start", call: nextCall(world), launch, workerCount, generation: 1, resume });
  if (booted) waitFor(world, "rest", 1000);
}

function nextCall(world: World): CallId {
  world.calls += 1;
  return world.calls;
}

function waitFor({ clock, model }: World, situation: Move["until"], limit: number): void {
  pass(clock, clock.now + limit, () => findSituation(model) === situation);
}

/** Situations that cannot come are not waited for. */
function bide(world: World, { until, wait }: Move): void {
  const { clock, model } = world;
  if (until && !model.ended && (model.rollout || model.stopping || until === "back-off"))
    waitFor(world, until, 6000);
  pass(clock, clock.now + wait);
}

function act(world: World, deed: Deed): void {
  const { model } = world;
  switch (deed.type) {
    case "deploy":
      return deploy(world, deed);
    case "start":
      return begin(world);
    case "attach": {
      const id = deed.known ? `d${world.deploys}` : "unheard of";
      return turn(world, { type: "attachDeploy", call: nextCall(world), id });
    }
    case "abort":
      return turn(world, { type: "abortDeploy", call: nextCall(world) });
    case "stop":
      return turn(world, { type: "stop", call: nextCall(world), timeout: deed.timeout });
    case "status":
      return turn(world, { type: "status", call: nextCall(world) });
    case "sleep":
      world.clock.now += deed.ms;
      model.wokeAt = world.clock.now - deed.ms - model.slept;
      model.slept += deed.ms;
      model.napped += deed.ms < 6000 ? Math.min(deed.ms, 3000) : 0;
      model.reach.add("the adversary's sleep");
      return;
  }
  const living = world.processes.filter(({ alive }) => alive);
  const victim = living[deed.victim % Math.max(1, living.length)];
  if (!victim) return;
  if (deed.type === "crash") die(world.nursery, victim, "was killed by SIGSEGV");
  else if (deed.type === "offline" || victim.saidOnline) say(world.nursery, victim, deed.type);
  model.reach.add(`the adversary's ${deed.type}`);
}

function deploy(
  world: World,
  { quality, workerCount, timeout, again }: Extract<Deed, { type: "deploy" }>,
): void {
  if (!again || world.deploys === 0) world.deploys += 1;
  const id = `d${world.deploys}`;
  const launch = makeLaunch(quality, id, world.scenario.limited);
  turn(world, { type: "deploy", call: nextCall(world), id, launch, workerCount, timeout });
}
