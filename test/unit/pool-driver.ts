/** Drives the pure pool by hand: messages in; event lines, orders, answers and timers out. */
import assert from "node:assert/strict";
import { emptyPool, step } from "../../src/actors/master/pool/pool.js";
import type {
  CallId,
  Effect,
  Message,
  PoolWorker,
  Result,
  Timer,
} from "../../src/actors/master/pool/state.js";
import type { ErrorName } from "../../src/protocol/errors.js";
import type { Death, Limits, ResolvedLaunch } from "../../src/protocol/types.js";

export type Driver = ReturnType<typeof drive>;

export function makeLaunch(script: string, limits: Limits = {}): ResolvedLaunch {
  return { limits, script, realScript: script, args: [], nodeArgs: [], env: {}, cwd: "/", realCwd: "/" };
}

export function drive(limits: Limits = {}) {
  let pool = emptyPool;
  let now = 0;
  let calls = 0;
  let lines: string[] = [];
  let details: string[] = [];
  let orders: string[] = [];
  let deaths: Death[] = [];
  const waiting: number[][] = [];
  const answers = new Map<CallId, Result | ErrorName>();
  const timers = new Map<string, { readonly timer: Timer; readonly seconds: number; readonly at: number }>();

  function tell(message: Message): void {
    const outcome = step(pool, message, now);
    pool = outcome.pool;
    for (const effect of outcome.effects) note(effect);
  }

  function note(effect: Effect): void {
    switch (effect.type) {
      case "emit": {
        const { booting, online, dying, new_online } = effect.event.counts;
        lines.push(`${effect.event.name} ${booting} ${online} ${dying} ${new_online}`);
        if (effect.event.detail !== undefined) details.push(effect.event.detail);
        if (effect.event.death !== undefined) deaths.push(effect.event.death);
        return;
      }
      case "fork": {
        const { id, slot, generation } = effect.worker;
        orders.push(`fork ${id} slot ${slot} generation ${generation} ${effect.launch.script}`);
        return;
      }
      case "ping":
        orders.push(`ping ${effect.worker}${effect.amends ? " with amends" : ""}`);
        return;
      case "shutdown":
      case "kill":
        orders.push(`${effect.type} ${effect.worker}`);
        return;
      case "end":
        orders.push("end");
        return;
      case "serving":
        orders.push(`serving ${effect.generation.number} with ${effect.generation.workerCount}`);
        return;
      case "waiting":
        waiting.push(effect.workers.map(({ id }) => id));
        return;
      case "reply":
      case "refuse":
        assert.ok(!answers.has(effect.call), `call ${effect.call} is answered twice`);
        answers.set(effect.call, effect.type === "reply" ? effect.result : effect.error);
        return;
      case "setTimer": {
        const { timer, seconds } = effect;
        timers.set(JSON.stringify(timer), { timer, seconds, at: now + seconds * 1000 });
        return;
      }
      case "clearTimer":
        timers.delete(JSON.stringify(effect.timer));
    }
  }

  function ask(make: (call: CallId) => Message): CallId {
    calls += 1;
    tell(make(calls));
    return calls;
  }

  return {
    tell,
    waiting,
    pass: (seconds: number): void => {
      now += seconds * 1000;
    },
    start: (workerCount: number, resume = false): CallId =>
      ask((call) => ({
        type: "start",
        call,
        launch: makeLaunch("/v1", limits),
        workerCount,
        generation: 1,
        resume,
      })),
    deploy: (id: string, workerCount = 0, timeout: number | null = null): CallId =>
      ask((call) => ({
        type: "deploy",
        call,
        id,
        launch: makeLaunch(`/${id}`, limits),
        workerCount,
        timeout,
      })),
    attach: (id: string): CallId => ask((call) => ({ type: "attachDeploy", call, id })),
    abort: (): CallId => ask((call) => ({ type: "abortDeploy", call })),
    stop: (timeout: number | null = null): CallId => ask((call) => ({ type: "stop", call, timeout })),
    status: (): CallId => ask((call) => ({ type: "status", call })),
    online: (...workers: number[]): void => {
      for (const worker of workers) tell({ type: "online", worker });
    },
    offline: (worker: number): void => tell({ type: "offline", worker }),
    exit: (worker: number, how = "exited with code 0"): void => tell({ type: "exit", worker, how }),
    /** Lets the timer of that kind, which must be set, come due. */
    fire: (kind: Timer["kind"]): void => {
      const [key, due] = [...timers].find(([, { timer }]) => timer.kind === kind) ?? [];
      assert.ok(key && due, `no timer for ${kind} is set`);
      timers.delete(key);
      now = Math.max(now, due.at);
      tell({ type: "timer", timer: due.timer });
    },
    /** Seconds of the timer of that kind, or undefined when none is set. */
    timer: (kind: Timer["kind"]): number | undefined =>
      [...timers.values()].find(({ timer }) => timer.kind === kind)?.seconds,
    timers: (): Timer["kind"][] => [...timers.values()].map(({ timer }) => timer.kind),
    answer: (call: CallId): Result | ErrorName | undefined => answers.get(call),
    outcome: (call: CallId): unknown => {
      const answer = answers.get(call);
      return typeof answer === "object" && "outcome" in answer ? answer.outcome : answer;
    },
    reason: (call: CallId): string | undefined => failedOf(answers.get(call))?.reason,
    culprit: (call: CallId): number | undefined => failedOf(answers.get(call))?.worker?.id,
    serving: () => pool.serving,
    slots: (): string[] => pool.workers.map(({ id, slot, status }: PoolWorker) => `${id}:${slot}:${status}`),
    phase: () => pool.phase.name,
    takeLines: (): string[] => take(lines, () => (lines = [])),
    takeDetails: (): string[] => take(details, () => (details = [])),
    takeOrders: (): string[] => take(orders, () => (orders = [])),
    takeDeaths: (): Death[] => take(deaths, () => (deaths = [])),
  };
}

function take<T>(list: T[], empty: () => void): T[] {
  empty();
  return list;
}

function failedOf(answer: Result | ErrorName | undefined) {
  return typeof answer === "object" && "outcome" in answer ? answer.failed : undefined;
}

/** The lines since they were last looked at: a name, then booting, online, dying and new_online. */
export function expectLines(driver: Driver, golden: string): void {
  assert.deepEqual(
    driver.takeLines(),
    golden.split(";").map((line) => line.trim().replace(/\s+/g, " ")),
  );
}

/** A pool at rest with so many workers, 1 to n, each online for an hour. */
export function rest(workerCount: number, limits: Limits = {}): Driver {
  const driver = drive(limits);
  driver.start(workerCount);
  for (let id = 1; id <= workerCount; id += 1) driver.online(id);
  driver.pass(3600);
  driver.takeLines();
  driver.takeOrders();
  return driver;
}
