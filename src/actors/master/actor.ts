/** The master actor: performs what the pool decides, and tells the pool what becomes of the processes. */

import { setTimeout as delay } from "node:timers/promises";
import { now } from "../../clock.js";
import { NaughtError } from "../../protocol/errors.js";
import type { Transport } from "../../protocol/transport.js";
import type {
  Delay,
  MasterSettled,
  MasterStart,
  MasterStarted,
  Status,
  WorkerRef,
} from "../../protocol/types.js";
import { createCalls, createTimers, startActor } from "../actor.js";
import { createTidier } from "../tidier.js";
import { forkWorker, type WorkerHandle } from "./handle.js";
import { openLink } from "./link.js";
import { createMemory } from "./memory.js";
import { createNews } from "./news.js";
import { createOutputs, type Outputs } from "./outputs.js";
import { emptyPool, step } from "./pool/pool.js";
import type { Effect, Failure, Message, Pool, PoolWorker, Result, Timer } from "./pool/state.js";
import { describePool } from "./pool/status.js";
import { createSocketCopies } from "./socket-copies.js";

/** `ended` is called once: when the last worker is gone for good. */
export function serveMaster(transport: Transport, ended: () => void): void {
  const calls = createCalls();
  const tidy = createTidier();
  const handles = new Map<number, WorkerHandle>();
  const gone = new Map<number, number>();
  /** By slot: when its next worker is due. */
  const due = new Map<number, number>();
  const sockets = createSocketCopies((key, copy) => {
    for (const handle of listWardens()) handle.hold({ key }, copy);
  });
  let config: MasterStart | undefined;
  let outputs: Outputs | undefined;
  /** Settles when the generation that has taken over accepts: nobody is asked to go before. */
  let accepting: Promise<unknown> = Promise.resolve();

  const memory = createMemory();
  let isThrough = false;

  const host = openLink(
    transport,
    {
      start: (params) => {
        config ??= params;
        outputs ??= createOutputs(config.output);
        outputs.reserve(params.workerCount);
        return calls.ask<MasterStarted>((call) => post({ ...params, type: "start", call }));
      },
      ping: () => ({}),
      status: () => calls.ask<Status>((call) => post({ type: "status", call })),
      deploy({ timeout = null, ...params }) {
        outputs?.reserve(params.workerCount);
        return calls.ask<MasterSettled>((call) => post({ ...params, type: "deploy", call, timeout }));
      },
      attachDeploy: ({ deploy: id }) =>
        calls.ask<MasterSettled>((call) => post({ type: "attachDeploy", call, id })),
      abortDeploy: ({ deploy: id }) =>
        calls.ask<MasterSettled>((call) =>
          post({ type: "abortDeploy", call, ...(id === undefined ? {} : { id }) }),
        ),
      stop: ({ timeout = null, ...params }) =>
        calls.ask<Record<string, never>>((call) => post({ ...params, type: "stop", call, timeout })),
      adopt({ worker, own, key }, { handle }) {
        const socket = handle && sockets.hold(key, handle);
        if (socket) handles.get(worker.id)?.adopt({ own, key }, socket);
        return {};
      },
      serve: ({ generation }) => void serve(generation),
      disown: ({ worker, key }) => handles.get(worker.id)?.disown({ key }),
      beat: () => host.beat(),
      keep(keep) {
        memory.keep(keep);
        if (keep.heard !== undefined) host.heard(keep.heard);
      },
      hold({ key }, { handle }) {
        if (handle) sockets.hold(key, handle);
        return {};
      },
      release: ({ key }) => {
        sockets.release(key);
        return releaseEverywhere(key);
      },
    },
    {
      memory,
      isWanted: () => config !== undefined && !isThrough,
      sockets: sockets.list,
      listenFds: () => config?.listenFds ?? [],
      found(client) {
        news.tellAll();
        outputs?.announce(client);
      },
      orphaned: leave,
    },
  );
  const timers = createTimers<Timer>((timer) => post({ type: "timer", timer }));
  const post = startActor<Pool, Message, Effect | { readonly type: "tellNews" }>({
    state: emptyPool,
    step: (pool, message) => {
      const at = now();
      const { pool: state, effects } = step(pool, message, at);
      if (state === pool) return { state, effects };
      news.follow(() => complete(describePool(state, at)) as Status);
      return { state, effects: [...effects, { type: "tellNews" }] };
    },
    perform,
  });
  const news = createNews((change) => host.client.change(change), isForked);

  // Without a daemon nobody can drive this master any more: it goes, and takes its workers along in good order.
  function leave(): void {
    const { grace, timeout } = config?.drain ?? { grace: 0, timeout: 0 };
    calls
      .ask((call) => post({ type: "stop", call, timeout: grace + timeout + orphanPatience }))
      .catch(() => {});
  }

  function perform(effect: Effect | { readonly type: "tellNews" }): void {
    switch (effect.type) {
      case "tellNews":
        return news.tell();
      case "fork":
        return fork(effect.worker, effect.launch);
      case "shutdown":
        return void accepting.then(() => handles.get(effect.worker)?.shutdown(effect.times));
      case "ping":
        return handles.get(effect.worker)?.ping(effect.amends);
      case "kill":
        return handles.get(effect.worker)?.kill();
      case "emit":
        // Whoever hears of it and asks is to find it in the status.
        news.tell();
        if (effect.event.name === "Ready") tidy();
        return host.client.event(
          effect.worker ? { ...effect.event, worker: nameWorker(effect.worker) } : effect.event,
        );
      case "reply":
        return calls.answer(effect.call, complete(effect.result));
      case "refuse":
        return calls.refuse(effect.call, new NaughtError(effect.error, undefined, effect.data));
      case "setTimer":
        return setTimer(effect.timer, effect.jitter ? addJitter(effect.seconds) : effect.seconds);
      case "clearTimer":
        return timers.clear(effect.timer);
      case "serving": {
        const { number: generation, workerCount, launch } = effect.generation;
        accepting = serve(generation);
        const deploy = effect.deploy === "" ? {} : { deploy: effect.deploy };
        return host.client.serving({ generation, workerCount, launch, ...deploy });
      }
      case "waiting":
        return host.client.waiting({
          workers: effect.workers.map((worker) => ({ ...worker, ...nameWorker(worker) })),
        });
      case "end":
        return void end();
    }
  }

  async function end(): Promise<void> {
    timers.clearAll();
    outputs?.close();
    // What a worker has printed can be opened through this process only, for as long as it lives.
    await Promise.race([host.client.sync({}).catch(() => {}), delay(syncPatience)]);
    isThrough = true;
    ended();
  }

  function listWardens(): WorkerHandle[] {
    return [...handles.values()].filter(({ ref }) => isWarden(ref.slot));
  }

  async function releaseEverywhere(key: string): Promise<Record<string, never>> {
    const released = Promise.all(listWardens().map((handle) => handle.release({ key })));
    await Promise.race([released, delay(releasePatience)]);
    return {};
  }

  // One that is too busy to answer will accept later; connections wait until then.
  function serve(generation: number): Promise<unknown> {
    const coming = [...handles.values()].filter(({ ref }) => ref.generation === generation);
    const limit = new AbortController();
    const late = delay(servePatience, undefined, { signal: limit.signal }).catch(() => {});
    return Promise.race([Promise.all(coming.map((handle) => handle.serve())), late]).finally(() =>
      limit.abort(),
    );
  }

  function setTimer(timer: Timer, seconds: number): void {
    if (timer.kind === "slot") due.set(timer.slot, now() + seconds * 1000);
    timers.set(timer, seconds);
  }

  function fork({ id, slot, generation }: PoolWorker, launch: MasterStart["launch"]): void {
    if (!config || !outputs) throw new Error("a worker was to be forked before the start");
    const handle = forkWorker(
      { id, slot, generation },
      launch,
      config,
      { host: host.client, sockets, outputs },
      {
        online(inspected) {
          if (isWarden(slot)) for (const [key, copy] of sockets.list()) handle.hold({ key }, copy);
          post({ type: "online", worker: id, inspected });
        },
        offline: () => post({ type: "offline", worker: id }),
        told: () => post({ type: "told", worker: id }),
        pulse: (pulse) => post({ ...pulse, type: "pulse", worker: id }),
        silent: (vitals) => post({ ...vitals, type: "silent", worker: id }),
        exit: (how) => {
          post({ type: "exit", worker: id, how });
          forget(id);
        },
      },
    );
    handles.set(id, handle);
  }

  function isForked({ id }: { readonly id: number }): boolean {
    return handles.has(id) || gone.has(id);
  }

  // An answer may name a worker that is gone by then.
  function forget(id: number): void {
    const handle = handles.get(id);
    if (handle) gone.set(id, handle.ref.pid);
    handles.delete(id);
    const [oldest] = gone.keys();
    if (gone.size > 100 && oldest !== undefined) gone.delete(oldest);
  }

  function nameWorker({ id, slot, generation }: Omit<WorkerRef, "pid">): WorkerRef {
    return { id, slot, pid: handles.get(id)?.ref.pid ?? gone.get(id) ?? 0, generation };
  }

  function complete(result: Result): unknown {
    if ("workers" in result) {
      const workers = result.workers.map((worker) => ({ ...worker, ...nameWorker(worker) }));
      return { ...result, workers, delays: result.delays.map(nameDelay) };
    }
    return "failed" in result && result.failed ? { ...result, failed: nameFailed(result.failed) } : result;
  }

  function nameDelay({ slot, failures }: Omit<Delay, "seconds">): Delay {
    return { slot, failures, seconds: Math.max(0, ((due.get(slot) ?? 0) - now()) / 1000) };
  }

  function nameFailed({ reason, worker }: Failure): { reason: string; worker?: WorkerRef } {
    return worker ? { reason, worker: nameWorker(worker) } : { reason };
  }
}

/** Milliseconds that a daemon which does not answer is given to open the last pipes. */
const syncPatience = 10_000;

/** Milliseconds. */
const servePatience = 5_000;

/** Some workers have a copy of every socket, also of the other slots' queues, because one of them may have to bring the daemon back. */
const wardens = 2;
const isWarden = (slot: number): boolean => slot < wardens;

/** Milliseconds that a worker has to close its copy. */
const releasePatience = 1_000;

/** Seconds beyond the drain that workers have to leave when the daemon is gone. */
const orphanPatience = 5;

// Slots whose workers failed together should not be retried together.
function addJitter(seconds: number): number {
  return seconds * (0.75 + Math.random() / 2);
}
