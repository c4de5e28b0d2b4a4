/** A world for the daemon's machine: clients, files, paths, timers and a master, driven by an adversary. */
import { emptyDaemon, step } from "../../src/actors/daemon/machine.js";
import type { Daemon, Effect, Message } from "../../src/actors/daemon/state.js";
import { launch, start } from "../support/daemon-machine.js";
import { openMaster, type SimulatedMaster } from "./daemon-master.js";
import { openPromises } from "./daemon-promises.js";

export type Step = typeof step;

export interface World {
  /** One deed of the adversary. */
  act(choice: number): void;
  /** Nothing bad happens any more, and all that can happen does. */
  calm(): void;
  start(): void;
  stop(): void;
  readonly ended: boolean;
  /** What was seen, for the count of how deep the histories go. */
  readonly reached: ReadonlySet<string>;
}

const clients = 4;
const mostDeeds = 1000;

type Deed = (choice: number) => void;

export function openWorld(behave: Step = step): World {
  const promises = openPromises();
  const reached = new Set<string>();
  const resolving: number[] = [];
  const timers: Message[] = [];
  let state: Daemon = emptyDaemon;
  let files: "none" | "opening" | "open" | "closing" = "none";
  let master: SimulatedMaster | null = null;
  let calls = 0;
  let deploys = 0;

  function post(message: Message): void {
    const before = state;
    const { state: after, effects } = behave(state, message, "2026-01-01T00:00:00.000Z", 0);
    state = after;
    reached.add(`${message.type} while ${before.life}`);
    if (
      message.type === "masterExited" &&
      [...before.forwarded.values()].some(({ kind }) => kind === "deploy")
    ) {
      reached.add("death during a deploy");
    }
    promises.check(message, effects);
    for (const effect of effects) perform(effect);
  }

  function perform(effect: Effect): void {
    switch (effect.type) {
      case "open":
        files = "opening";
        return;
      case "close":
        files = "closing";
        return;
      case "resolve":
        return void resolving.push(effect.call);
      case "startMaster":
        reached.add(effect.start.resume ? "a second master" : "a first master");
        master = openMaster(effect);
        return;
      case "askMaster":
        return master?.ask(effect.call, effect.ask);
      case "later":
        return void timers.push(effect.message);
    }
  }

  function takeAny<T>(list: T[], choice: number, use: (item: T) => void): void {
    for (const item of list.splice(choice % Math.max(1, list.length), 1)) use(item);
  }

  const call = (): number => {
    calls += 1;
    return calls;
  };
  const nameClient = (choice: number): number => 2 + (choice % clients);
  const nameDeploy = (): string => {
    deploys += 1;
    return `d${deploys}`;
  };
  const requests: Deed[] = [
    (choice) => post({ type: "status", call: call(), client: nameClient(choice) }),
    (choice) => post({ type: "watch", call: call(), client: nameClient(choice) }),
    (choice) => post({ type: "abortDeploy", call: call(), client: nameClient(choice) }),
    (choice) => post({ type: "attachDeploy", call: call(), client: nameClient(choice), id: `d${deploys}` }),
    (choice) => post({ type: "clientGone", client: nameClient(choice) }),
    () => post({ type: "deploy", call: 0, client: 0, deploy: { id: nameDeploy() } }),
    ...Array.from(
      { length: 4 },
      (): Deed => (choice) => {
        post({ type: "deploy", call: call(), client: nameClient(choice), deploy: { id: nameDeploy() } });
      },
    ),
  ];
  const stops: Deed[] = [
    (choice) => post({ type: "stop", call: call(), client: nameClient(choice), stop: {} }),
    () => post({ type: "stop", call: 0, client: 0, stop: { timeout: 1 } }),
    () => post({ type: "start", call: call(), client: 1, start }),
  ];
  const resolved: Deed = (choice) =>
    takeAny(resolving, choice, (which) => post({ type: "resolved", call: which, launch }));
  const unresolved: Deed = (choice) =>
    takeAny(resolving, choice, (which) =>
      post({ type: "unresolved", call: which, refusal: { error: "ScriptNotFound" } }),
    );
  const expire: Deed = (choice) => takeAny(timers, choice, post);
  const receive: Deed = () => {
    const message = master?.receive();
    if (!message) return;
    if (message.type === "masterExited") master = null;
    post(message);
  };
  const openFiles: Deed = () => {
    files = "open";
    post({ type: "opened", launch });
  };
  const refuseFiles: Deed = () => {
    files = "none";
    post({ type: "openFailed", refusal: { error: "StaleIpc" } });
  };
  const closeFiles: Deed = () => {
    files = "none";
    post({ type: "closed" });
  };

  /** Deeds with which the world goes on; each does something or was not listed. */
  function listGood(): Deed[] {
    return [
      ...(resolving.length > 0 ? [resolved] : []),
      ...(files === "opening" ? [openFiles] : []),
      ...(files === "closing" ? [closeFiles] : []),
      ...(timers.length > 0 ? [expire] : []),
      ...(master?.deeds() ?? []).filter(({ good }) => good).map(({ run }) => run),
    ];
  }

  function listAll(choice: number): Deed[] {
    const bad = (master?.deeds() ?? []).filter(({ good }) => !good).map(({ run }) => run);
    const isRare = choice % 7 === 0;
    const isStop = choice % 23 === 0;
    return [
      ...requests,
      ...listGood(),
      ...listGood(),
      receive,
      receive,
      receive,
      ...(resolving.length > 0 ? [unresolved] : []),
      ...(isRare ? [...bad, ...bad] : []),
      ...(isStop ? [...stops, ...stops, ...stops] : []),
      ...(isRare && files === "opening" ? [refuseFiles] : []),
    ];
  }

  return {
    act(choice) {
      const deeds = listAll(choice % 101);
      deeds[Math.floor(choice / 101) % deeds.length]?.(Math.floor(choice / 5001));
    },
    calm() {
      for (let deed = 0; deed < mostDeeds; deed += 1) {
        const message = master?.receive();
        if (message?.type === "masterExited") master = null;
        const [good] = listGood();
        if (message) post(message);
        else if (good) good(0);
        else return promises.checkPeace();
      }
      throw new Error("the history does not end");
    },
    start: () => post({ type: "start", call: call(), client: 1, start }),
    stop: () => post({ type: "stop", call: call(), client: 2, stop: {} }),
    get ended() {
      return promises.ended;
    },
    reached,
  };
}
