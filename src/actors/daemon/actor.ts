/** The daemon actor: performs what its machine decides, and tells it what becomes of clients, files and the master. */
import { dirname, join } from "node:path";
import { nanoid } from "nanoid";
import { now } from "../../clock.js";
import { NaughtError } from "../../protocol/errors.js";
import type { Master } from "../../protocol/master.js";
import type { Peer } from "../../protocol/peer.js";
import type { Transport } from "../../protocol/transport.js";
import type { Start } from "../../protocol/types.js";
import { createCalls, startActor } from "../actor.js";
import { type Identity, identifyServer, isSuperseded } from "../remains.js";
import { createAnswers, tailPatience } from "./answers.js";
import { createAsking } from "./asking.js";
import { createClients } from "./clients.js";
import { createCrowd } from "./crowd.js";
import { type Files, openFiles, replaceFiles } from "./files.js";
import type { Estate } from "./heir.js";
import { unpackState } from "./heritage.js";
import { createHost, type HostHandlers } from "./host.js";
import { createIdentity } from "./identity.js";
import { passInTurn } from "./in-turn.js";
import { createKeeper } from "./keeper.js";
import { resolveLaunch } from "./launch.js";
import { type Logs, openLogs } from "./logs.js";
import { emptyDaemon, step } from "./machine.js";
import { openServiceManager, type ServiceManager } from "./manager.js";
import { adoptMaster, type MasterFacts, type MasterProcess, startMaster } from "./master-process.js";
import { buryOrphans } from "./orphans.js";
import { canOpenThroughProc } from "./pipe.js";
import { watchProcesses } from "./process-watch.js";
import { attempt, toRefusal } from "./refusal.js";
import { onSignals } from "./signals.js";
import { createSockets, type KeptSockets, type Sockets } from "./sockets.js";
import type { Daemon as DaemonState, Effect, Message } from "./state.js";
import { createUsages } from "./usages.js";
import { checkWritable } from "./writable.js";

export interface RunningDaemon {
  serve(transport: Transport): void;
  inherit(estate: Estate, peer: Peer<typeof Master>): Promise<HostHandlers>;
}

export function runDaemon(
  { run, token }: Pick<Identity, "run" | "token">,
  ended: (exitCode: number) => void,
): RunningDaemon {
  const calls = createCalls();
  const identity = createIdentity(run);
  const usages = createUsages();
  // In the foreground nobody is to bring back what its terminal, or its service manager, has ended.
  const keeper = createKeeper(
    (keep) => start?.daemonMode && master?.client.keep(keep),
    (parts) => start?.daemonMode && files?.writeState(JSON.stringify(parts)),
  );
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
      const turn = step(state, message, new Date().toISOString(), now());
      manager?.follow(turn);
      keeper.follow(turn.state);
      return turn;
    },
    perform,
  });
  const postInTurn = passInTurn(post);
  const asking = createAsking(post, postInTurn, () => master?.client);
  const ignoreSignals = onSignals({
    stop: () => post({ type: "stop", call: 0, client: 0, stop: {} }),
    deploy: deployForNobody,
    reopen: () => void logs?.reopen(),
  });
  const clients = createClients({
    calls,
    run: identity.run,
    token,
    hello: () => identity.hello(master?.pid),
    logs: () => logs,
    post,
  });
  const answers = createAnswers(calls, () => ({ identity, usages, sockets, logs, master: master?.pid }));
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
        return asking.ask(effect.call, effect.ask);
      case "reply":
        return answers.reply(effect.call, effect.result);
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
        return logs?.tell(effect.line, effect.event);
      case "watchProcess":
        logs?.outputs.adopt(effect.worker);
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
      files.guard(logs.naught.write);
      if (!params.daemonMode) manager = openServiceManager(process.env, isMasterAlive, logs.naught.write);
      if (process.pid === 1) buryOrphans(logs.naught.write);
      sockets = openSockets(params);
      post({ type: "opened", launch });
    } catch (error) {
      files?.close();
      await logs?.close(0);
      post({ type: "openFailed", refusal: toRefusal(error) });
    }
  }

  function openSockets(
    { listenFds, balance = "slots" }: Start,
    kept?: Parameters<typeof createSockets>[2],
  ): Sockets {
    const opened: Sockets = createSockets(
      { listenFds, balance },
      {
        adopt: (worker, own, key, handle) =>
          void master?.client.adopt({ worker, own, key }, handle).catch(() => {}),
        disown: (worker, key) => master?.client.disown({ worker, key }),
        release: async (key) => void (await master?.client.release({ key }).catch(() => {})),
        serve: (generation) => master?.client.serve({ generation }),
        changed: () => keeper.set("sockets", opened.keep()),
        log: (line) => logs?.naught.write(line),
      },
      kept,
    );
    return opened;
  }

  async function inherit(estate: Estate, peer: Peer<typeof Master>): Promise<HostHandlers> {
    const state = unpackState(estate.parts, estate.events, emptyDaemon);
    const params = state.start;
    if (!params) throw new NaughtError("BadLaunch", "what the last daemon has left is not complete");
    start = params;
    let handlers: HostHandlers | undefined;
    const hasMaster = estate.master > 0;
    files = await replaceFiles(params, crowd.admit, async () => {
      if (isSuperseded(params.ipcFile, estate.parts, estate.master)) throw new NaughtError("AlreadyRunning");
      logs = await openLogs(params.logs, params.daemonMode);
      const table = JSON.parse(estate.parts.sockets ?? "null") as KeptSockets | null;
      sockets = openSockets(params, table ? { table, handles: estate.handles } : undefined);
      const attended = attend(estate.master);
      handlers = attended.handlers;
      if (hasMaster) master = adoptMaster(peer, estate.master, params.listenFds, attended.facts);
      else sockets.strand();
      rememberSelf();
      usages.follow(process.pid);
      if (hasMaster) usages.follow(estate.master);
      post({ type: "inherited", parts: estate.parts, events: estate.events, hasMaster });
    });
    files.guard((line) => logs?.naught.write(line));
    // The state file, too: until now there was nobody to write it.
    keeper.tellAll();
    if (!handlers) throw new Error("a daemon was published before it was prepared");
    return handlers;
  }

  function rememberSelf(): void {
    keeper.set("identity", identifyServer({ run, token }, master?.pid ?? 0));
    keeper.set("birth", { env: process.env, cwd: process.cwd() });
    if (sockets) keeper.set("sockets", sockets.keep());
  }

  /** What one master is offered and what is told of it; `pid` of one that is none of this daemon's children. */
  function attend(pid?: number): { handlers: HostHandlers; facts: MasterFacts } {
    if (!logs || !sockets) throw new Error("a master was to be served before the files were open");
    let isGone = false;
    // Nothing that a dead one has said is to be taken for the next one's word.
    const hear = (message: Message | Promise<Message>): void => {
      if (!isGone) postInTurn(message);
    };
    const facts: MasterFacts = {
      exited(how) {
        usages.forget(pid ?? master?.pid ?? 0);
        master = undefined;
        sockets?.strand();
        hear({ type: "masterExited", how });
        isGone = true;
      },
      report: (line) => logs?.naught.write(line),
    };
    return { handlers: createHost(hear, logs, sockets, usages, () => isGone || master?.heard()), facts };
  }

  function runMaster({
    call,
    start: params,
    master: number,
  }: Extract<Effect, { type: "startMaster" }>): void {
    if (!sockets || !start) throw new Error("a master was to be started before the files were open");
    const { handlers, facts } = attend();
    master = startMaster(start, handlers, facts);
    rememberSelf();
    const { client, listenFds, pid } = master;
    usages.follow(process.pid);
    usages.follow(pid);
    // It has to have what another daemon would need, before it has anything to lose.
    keeper.tellAll();
    for (const [key, handle] of sockets.handles()) client.hold({ key }, handle).catch(() => {});
    asking.pass(
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
    // One that died is being replaced, while its workers serve.
    if (!master) return true;
    const answer = master?.client.ping({}).then(() => true);
    return answer?.catch(() => false) ?? false;
  }

  async function close(): Promise<void> {
    sockets?.close();
    // Whatever becomes of the logs, nobody is to find a socket without a server.
    await logs?.close(tailPatience).catch(() => {});
    files?.close();
    post({ type: "closed" });
  }

  async function end(exitCode: number): Promise<void> {
    await Promise.all([answers.settled(), manager?.close()]);
    // The last answers are handed over in microtasks.
    await new Promise(setImmediate);
    await clients.closeAll();
    usages.close();
    watch.close();
    ignoreSignals();
    ended(exitCode);
  }

  return {
    serve: (transport) => void clients.add(transport, true),
    inherit,
  };
}
