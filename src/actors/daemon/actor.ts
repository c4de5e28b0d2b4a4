/** The daemon actor: performs what its machine decides, and tells it what becomes of clients, files and the master. */
import type { Socket } from "node:net";
import { join } from "node:path";
import { nanoid } from "nanoid";
import type { Client, Handlers } from "../../protocol/contract.js";
import { Daemon } from "../../protocol/daemon.js";
import { NaughtError } from "../../protocol/errors.js";
import { openFrames } from "../../protocol/frames.js";
import { connect, type Peer } from "../../protocol/peer.js";
import type { Transport } from "../../protocol/transport.js";
import type { Empty, Settled, Start, Started, Status, WorkerRef } from "../../protocol/types.js";
import { Watcher } from "../../protocol/watcher.js";
import { protocolVersion, version } from "../../version.js";
import { createCalls, startActor } from "../actor.js";
import { type Files, openFiles } from "./files.js";
import { createHost } from "./host.js";
import { explain, resolveLaunch } from "./launch.js";
import { type Logs, openLogs } from "./logs.js";
import { emptyDaemon, step } from "./machine.js";
import { type MasterProcess, startMaster } from "./master-process.js";
import { onSignals } from "./signals.js";
import { createSockets, type Sockets } from "./sockets.js";
import type {
  Answer,
  ClientId,
  Daemon as DaemonState,
  Effect,
  MasterAsk,
  Message,
  Refusal,
} from "./state.js";
import { checkWritable } from "./writable.js";

/** Milliseconds that a worker's last words are waited for once it is gone. */
const tailPatience = 1000;

/** Milliseconds that clients have to take their last answers. */
const closePatience = 500;

/** Serves the one who started this daemon on `transport`, and everybody else on the ipc file. `ended` is called once. */
export function serveDaemon(transport: Transport, ended: (exitCode: number) => void): void {
  const calls = createCalls();
  const clients = new Map<ClientId, Client<typeof Watcher>>();
  const connections = new Map<ClientId, () => Promise<void>>();
  const answering = new Set<Promise<void>>();
  let lastClient = 0;
  let files: Files | undefined;
  let logs: Logs | undefined;
  let master: MasterProcess | undefined;
  let sockets: Sockets | undefined;
  let start: Start | undefined;

  const post = startActor<DaemonState, Message, Effect>({
    state: emptyDaemon,
    step: (state, message) => step(state, message, new Date().toISOString()),
    perform,
  });
  const ignoreSignals = onSignals({
    stop: () => post({ type: "stop", call: 0, client: 0, stop: {} }),
    deploy: () => post({ type: "deploy", call: 0, client: 0, deploy: { id: nanoid() } }),
  });
  addClient(transport, true);

  function addClient(from: Transport, mayStart: boolean): void {
    lastClient += 1;
    const client = lastClient;
    const peer = connect(from, Daemon, serveClient(client, mayStart), Watcher);
    clients.set(client, peer.client);
    connections.set(client, () => endPeer(peer));
    peer.onClose(() => {
      clients.delete(client);
      connections.delete(client);
      post({ type: "clientGone", client });
    });
  }

  function serveClient(client: ClientId, mayStart: boolean): Handlers<typeof Daemon> {
    return {
      hello: () => ({ version, protocol: protocolVersion, pid: process.pid }),
      start(params) {
        if (!mayStart)
          throw new NaughtError("NotAllowed", "only the process that spawned the daemon can start it");
        return calls.ask<Started>((call) => post({ type: "start", call, client, start: params }));
      },
      status: () => calls.ask<Status>((call) => post({ type: "status", call, client })),
      deploy: (params) =>
        calls.ask<Settled>((call) =>
          post({ type: "deploy", call, client, deploy: { ...params, id: params.id ?? nanoid() } }),
        ),
      attachDeploy: ({ deploy: id }) =>
        calls.ask<Settled>((call) => post({ type: "attachDeploy", call, client, id })),
      abortDeploy: () => calls.ask<Settled>((call) => post({ type: "abortDeploy", call, client })),
      stop: (params) => calls.ask<Empty>((call) => post({ type: "stop", call, client, stop: params })),
      watch: () => calls.ask<Empty>((call) => post({ type: "watch", call, client })),
    };
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
        if (effect.call === 0) logs?.naught.write(`${effect.refusal.message ?? effect.refusal.error}`);
        return calls.refuse(
          effect.call,
          new NaughtError(effect.refusal.error, effect.refusal.message, effect.refusal.data),
        );
      case "event":
        for (const client of effect.clients) clients.get(client)?.event(effect.event);
        return;
      case "tellWaiting":
        for (const client of effect.clients) clients.get(client)?.waiting(effect.waiting);
        return;
      case "notice":
        return clients.get(effect.client)?.notice({ name: effect.name });
      case "log":
        return logs?.naught.write(effect.line);
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
      files = await openFiles(params, (socket: Socket) => addClient(openFrames(socket), false));
      logs = await openLogs(params.logs, params.daemonMode);
      sockets = createSockets(
        { listenFds: params.listenFds, balance: params.balance ?? "slots" },
        {
          adopt: (worker, own, key, handle) =>
            void master?.client.adopt({ worker, own, key }, handle).catch(() => {}),
          disown: (worker, key) => master?.client.disown({ worker, key }),
          release: (key) => master?.client.release({ key }),
        },
      );
      post({ type: "opened", launch });
    } catch (error) {
      files?.close();
      await logs?.close(0);
      post({ type: "openFailed", refusal: toRefusal(error) });
    }
  }

  function runMaster({ call, start: params }: Extract<Effect, { type: "startMaster" }>): void {
    if (!logs || !sockets) throw new Error("a master was to be started before the files were open");
    master = startMaster(
      start?.listenFds ?? [],
      createHost(post, logs, sockets),
      (how) => {
        master = undefined;
        post({ type: "masterExited", how });
      },
      (text) => logs?.naught.write(`master: ${text.trimEnd()}`),
    );
    const { client, listenFds } = master;
    pass(
      call,
      client.start({
        ...params,
        listenFds,
        listenNames: start?.listenNames ?? [],
        preload: join(import.meta.dirname, "worker.cjs"),
      }),
    );
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
      (result) => post({ type: "masterAnswered", call, result }),
      (error: unknown) => {
        // That the master is gone is told by its exit.
        if (!(error instanceof NaughtError && error.kind === "Lost")) {
          post({ type: "masterRefused", call, refusal: toRefusal(error) });
        }
      },
    );
  }

  function reply(call: number, result: Answer): void {
    if (!("failed" in result) || !result.failed) return calls.answer(call, result);
    const { failed, ...rest } = result;
    const answer = readTail(failed.worker).then((stderr) => {
      calls.answer(call, { ...rest, reason: failed.reason, ...(stderr.length > 0 ? { stderr } : {}) });
      answering.delete(answer);
    });
    answering.add(answer);
  }

  async function readTail(worker: WorkerRef | undefined): Promise<string[]> {
    return worker && logs ? logs.outputs.tail(worker.id, tailPatience) : [];
  }

  async function close(): Promise<void> {
    sockets?.close();
    await logs?.close(tailPatience);
    files?.close();
    post({ type: "closed" });
  }

  async function end(exitCode: number): Promise<void> {
    await Promise.all(answering);
    ignoreSignals();
    // The last answers are handed over in microtasks.
    await new Promise(setImmediate);
    await Promise.all([...connections.values()].map((close) => close()));
    ended(exitCode);
  }
}

// A client that does not read its answers is not waited for.
function endPeer(peer: Peer<typeof Watcher>): Promise<void> {
  return new Promise((resolve) => {
    peer.onClose(resolve);
    peer.close();
    setTimeout(resolve, closePatience);
  });
}

function attempt(action: () => void, refuse: (refusal: Refusal) => void): void {
  try {
    action();
  } catch (error) {
    refuse(toRefusal(error));
  }
}

function toRefusal(error: unknown): Refusal {
  if (error instanceof NaughtError) return { error: error.kind, message: error.message, data: error.data };
  return { error: "CannotWrite", message: explain(error) };
}
