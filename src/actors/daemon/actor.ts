/** The daemon actor: performs what its machine decides, and tells it what becomes of clients, files and the master. */
import { dirname, join } from "node:path";
import { nanoid } from "nanoid";
import { NaughtError } from "../../protocol/errors.js";
import type { Transport } from "../../protocol/transport.js";
import type { Start, Status, WorkerRef } from "../../protocol/types.js";
import { createCalls, startActor } from "../actor.js";
import { createClients } from "./clients.js";
import { createCrowd } from "./crowd.js";
import { type Files, openFiles } from "./files.js";
import { createHost } from "./host.js";
import { createIdentity, versions } from "./identity.js";
import { passInTurn } from "./in-turn.js";
import { resolveLaunch } from "./launch.js";
import { type Logs, openLogs } from "./logs.js";
import { emptyDaemon, step } from "./machine.js";
import { openServiceManager, type ServiceManager } from "./manager.js";
import { type MasterProcess, startMaster } from "./master-process.js";
import { buryOrphans } from "./orphans.js";
import { canOpenThroughProc } from "./pipe.js";
import { watchProcesses } from "./process-watch.js";
import { attempt, toRefusal } from "./refusal.js";
import { onSignals } from "./signals.js";
import { createSockets, type Sockets } from "./sockets.js";
import type { Answer, Daemon as DaemonState, Effect, MasterAsk, Message } from "./state.js";
import { createUsages } from "./usages.js";
import { checkWritable } from "./writable.js";

/** Milliseconds that a worker's last words are waited for once it is gone. */
const tailPatience = 1000;

/** Serves the one who started this daemon on `transport`, and everybody else on the ipc file. `ended` is called once. */
export function serveDaemon(transport: Transport, ended: (exitCode: number) => void): void {
  const calls = createCalls();
  const identity = createIdentity();
  const usages = createUsages();
  const answering = new Set<Promise<void>>();
  const token = nanoid();
  const watch = watchProcesses((pid) => post({ type: "strayGone", pid }));
  let files: Files | undefined;
  let logs: Logs | undefined;
  let master: MasterProcess | undefined;
  let sockets: Sockets | undefined;
  let start: Start | undefined;
  let manager: ServiceManager | undefined;

  const post = startActor<DaemonState, Message, Effect>({
    state: emptyDaemon,
    step(state, message) {
      const turn = step(state, message, new Date().toISOString());
      manager?.follow(turn);
      return turn;
    },
    perform,
  });
  const postInTurn = passInTurn(post);
  const ignoreSignals = onSignals({
    stop: () => post({ type: "stop", call: 0, client: 0, stop: {} }),
    deploy: deployForNobody,
  });
  const clients = createClients({
    calls,
    run: identity.run,
    token,
    hello: () => identity.hello(master?.pid),
    post,
  });
  clients.add(transport, true);
  const crowd = createCrowd((each) => clients.add(each, false));

  // With a call id of its own, because there may be two of them: the second one's refusal is not the first one's answer.
  function deployForNobody(): void {
    calls
      .ask((call) => post({ type: "deploy", call, client: 0, deploy: { id: nanoid() } }))
      .catch((error: Error) => logs?.naught.write(error.message));
  }

  function perform(effect: Effect): void {
    switch (effect.type) {
      case "open":
        return void open(effect.start);
      case "resolve":
        return attempt(
          () => post({ type: "resolved", call: effect.call, launch: resolveLaunch(effect.launch) }),
          (refusal) => post({ type: "unresolved", call: effect.call, refusal }),
        );
      case "startMaster":
        return runMaster(effect);
      case "askMaster":
        return ask(effect.call, effect.ask);
      case "reply":
        return reply(effect.call, effect.result);
      case "refuse":
        return calls.refuse(
          effect.call,
          new NaughtError(effect.refusal.error, effect.refusal.message, effect.refusal.data),
        );
      case "event":
        for (const client of effect.clients) clients.find(client)?.event(effect.event);
        return;
      case "replay":
        for (const event of effect.events) clients.find(effect.client)?.event(event);
        return;
      case "tellWaiting":
        for (const client of effect.clients) clients.find(client)?.waiting(effect.waiting);
        return;
      case "notice":
        return clients.find(effect.client)?.notice({ name: effect.name });
      case "log":
        return logs?.naught.write(effect.line, effect.patient);
      case "watchProcess":
        return watch.watch(effect.pid);
      case "killProcess":
        return watch.kill(effect.pid);
      case "forgetWorker":
        usages.forget(effect.worker.pid);
        return sockets?.forget(effect.worker);
      case "later":
        setTimeout(() => post(effect.message), effect.seconds * 1000).unref();
        return;
      case "close":
        return void close();
      case "end":
        return void end(effect.exitCode);
    }
  }

  async function open(params: Start): Promise<void> {
    start = params;
    try {
      const launch = resolveLaunch(params.launch);
      checkWritable([params.pidFile, params.logs.log, params.logs.stdout, params.logs.stderr]);
      files = await openFiles(params, crowd.admit);
      logs = await openLogs(params.logs, params.daemonMode);
      if (!params.daemonMode) manager = openServiceManager(process.env, isMasterAlive, logs.naught.write);
      if (process.pid === 1) buryOrphans(logs.naught.write);
      sockets = createSockets(
        { listenFds: params.listenFds, balance: params.balance ?? "slots" },
        {
          adopt: (worker, own, key, handle) =>
            void master?.client.adopt({ worker, own, key }, handle).catch(() => {}),
          disown: (worker, key) => master?.client.disown({ worker, key }),
          release: async (key) => void (await master?.client.release({ key }).catch(() => {})),
          serve: (generation) => master?.client.serve({ generation }),
          log: logs.naught.write,
        },
      );
      post({ type: "opened", launch });
    } catch (error) {
      files?.close();
      await logs?.close(0);
      post({ type: "openFailed", refusal: toRefusal(error) });
    }
  }

  function runMaster({
    call,
    start: params,
    master: number,
  }: Extract<Effect, { type: "startMaster" }>): void {
    if (!logs || !sockets || !start) throw new Error("a master was to be started before the files were open");
    master = startMaster(
      start?.listenFds ?? [],
      createHost(postInTurn, logs, sockets, usages, () => master?.heard()),
      (how) => {
        usages.forget(pid);
        master = undefined;
        sockets?.strand();
        postInTurn({ type: "masterExited", how });
      },
      (line) => logs?.naught.write(line),
    );
    const { client, listenFds, pid } = master;
    usages.follow(process.pid);
    usages.follow(pid);
    pass(
      call,
      client.start({
        ...params,
        lifeline: { ipcFile: start.ipcFile, token, master: number, times: params.drain },
        listenFds,
        listenNames: start?.listenNames ?? [],
        output: {
          ...params.output,
          procfs: canOpenThroughProc(master.pid),
          directory: dirname(start?.ipcFile ?? "/"),
        },
        preload: join(import.meta.dirname, "worker.cjs"),
      }),
    );
  }

  async function isMasterAlive(): Promise<boolean> {
    const answer = master?.client.ping({}).then(() => true);
    return answer?.catch(() => false) ?? false;
  }

  function ask(call: number, { method, params }: MasterAsk): void {
    if (!master) return post({ type: "masterRefused", call, refusal: { error: "MasterLost" } });
    const { client } = master;
    // A union of methods cannot be called with a union of parameters without saying which belongs to which.
    const send = client[method] as (input: typeof params) => Promise<Answer>;
    pass(call, send(params));
  }

  function pass(call: number, answer: Promise<Answer>): void {
    answer.then(
      (result) => postInTurn({ type: "masterAnswered", call, result }),
      (error: unknown) => {
        // That the master is gone is told by its exit.
        if (!(error instanceof NaughtError && error.kind === "Lost")) {
          postInTurn({ type: "masterRefused", call, refusal: toRefusal(error) });
        }
      },
    );
  }

  function reply(call: number, result: Answer): void {
    if ("phase" in result) return calls.answer(call, observe(result as Status));
    if (!("failed" in result) || !result.failed) return calls.answer(call, result);
    const { failed, ...rest } = result;
    const answer = readTail(failed.worker).then((stderr) => {
      calls.answer(call, { ...rest, reason: failed.reason, ...(stderr.length > 0 ? { stderr } : {}) });
      answering.delete(answer);
    });
    answering.add(answer);
  }

  function observe(status: Status): Status {
    return {
      ...status,
      workers: status.workers.map((worker) => ({ ...worker, usage: usages.of(worker.pid) })),
      sockets: sockets?.list() ?? [],
      logs: logs?.report() ?? [],
      daemon: { pid: process.pid, usage: usages.of(process.pid) },
      ...(master ? { master: { pid: master.pid, usage: usages.of(master.pid) } } : {}),
      versions,
      uptime: identity.uptime,
    };
  }

  async function readTail(worker: WorkerRef | undefined): Promise<string[]> {
    return worker && logs ? logs.outputs.tail(worker.id, tailPatience) : [];
  }

  async function close(): Promise<void> {
    sockets?.close();
    // Whatever becomes of the logs, nobody is to find a socket without a server.
    await logs?.close(tailPatience).catch(() => {});
    files?.close();
    post({ type: "closed" });
  }

  async function end(exitCode: number): Promise<void> {
    await Promise.all([...answering, manager?.close()]);
    // The last answers are handed over in microtasks.
    await new Promise(setImmediate);
    await clients.closeAll();
    usages.close();
    watch.close();
    ignoreSignals();
    ended(exitCode);
  }
}
