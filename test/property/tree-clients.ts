/** The simulated clients: those that watch, and come back whenever they lose the daemon, and those that call once. */
import type { Settled, Watched } from "../../src/protocol/types.js";
import type { DaemonProgram, Outcome } from "./tree-daemon.js";
import type { Process } from "./tree-machine.js";
import { hold } from "./tree-promises.js";
import type { Tree } from "./tree-world.js";

export interface Watcher {
  readonly last: number;
  readonly run: string | undefined;
}

/** Milliseconds before a client tries again. */
const pause = 150;

export function openWatcher(tree: Tree): Watcher {
  const { machine, brain, book } = tree;
  const process = machine.spawn("client", null);
  let sequel = { last: 0, run: undefined as string | undefined };
  let isFirst = true;

  function take(told: ReturnType<typeof brain.hearEvent>): void {
    sequel = told.sequel as typeof sequel;
    for (const event of told.events) book.noteEvent(sequel.run ?? "", event);
  }

  function reach(): void {
    const daemon = tree.files.socket;
    const again = (): void => void machine.after(process, pause, reach);
    if (!daemon?.process.alive) return again();
    const line = machine.connect(process, daemon.process);
    line.onClose(process, again);
    line.send(process, () => {
      const guest = {
        process,
        event: (event: Parameters<typeof brain.hearEvent>[1]) =>
          line.send(daemon.process, () => take(brain.hearEvent(sequel, event))),
      };
      const client = daemon.admit(guest, line);
      const { run } = daemon;
      line.send(daemon.process, () => {
        if (isFirst) sequel = { last: 0, run };
        else take(brain.meetDaemon(sequel, run));
        const { last } = sequel;
        const asked = { type: "watch", ...(isFirst ? {} : { since: last }), restarted: false } as const;
        isFirst = false;
        line.send(process, () => daemon.request(client, asked, (outcome) => answer(daemon, outcome)));
      });

      function answer(from: DaemonProgram, outcome: Outcome): void {
        line.send(from.process, () => {
          if (!("result" in outcome)) return;
          const { sequence = 0, missed = 0 } = outcome.result as Watched;
          if (sequel.last === 0 && missed === 0) sequel = { ...sequel, last: sequence };
          else take(brain.catchUp(sequel, sequence));
        });
      }
    });
  }

  reach();
  return {
    get last() {
      return sequel.last;
    },
    get run() {
      return sequel.run;
    },
  };
}

/** One call: how it ended, or undefined while it is not answered. */
export interface Asked {
  readonly what: string;
  readonly outcome: Outcome | "Lost" | "nobody" | undefined;
}

type Request = Parameters<DaemonProgram["request"]>[1];

export function callOnce(tree: Tree, request: Request, daemon = tree.files.socket): Asked {
  const { machine, book } = tree;
  const process: Process = machine.spawn("client", null);
  let outcome: Asked["outcome"];
  const end = (how: Exclude<Asked["outcome"], undefined>): void => {
    hold(
      outcome === undefined || outcome === "Lost",
      "once",
      () => `${request.type} by client ${process.pid}`,
    );
    outcome = how;
    book.reached.add(
      `${request.type} ${typeof how === "string" ? how : "result" in how ? "answered" : "refused"}`,
    );
  };
  const asked: Asked = {
    what: request.type,
    get outcome() {
      return outcome;
    },
  };
  if (!daemon?.process.alive) {
    end("nobody");
    return asked;
  }
  const line = machine.connect(process, daemon.process);
  line.onClose(process, () => outcome ?? end("Lost"));
  line.send(process, () => {
    if (request.type === "stop") book.stopAsked = true;
    const client = daemon.admit({ process, event() {} }, line);
    daemon.request(client, request, (answered) =>
      line.send(daemon.process, () => {
        end(answered);
        noteDeploy(answered);
      }),
    );
  });

  function noteDeploy(answered: Outcome): void {
    if (request.type !== "deploy") return;
    if ("refusal" in answered) return void book.outcomes.set(request.deploy.id ?? "", "refused");
    const { deploy, outcome: how } = answered.result as Settled;
    book.outcomes.set(deploy, how);
  }
  return asked;
}
