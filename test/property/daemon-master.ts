/** The master of the simulated world: it answers, fails, refuses and dies; what it says arrives in order, its exit last. */
import type { Answer, Effect, MasterAsk, Message } from "../../src/actors/daemon/state.js";
import type { EventName, ResolvedLaunch } from "../../src/protocol/types.js";

const counts = { booting: 0, online: 0, dying: 0, new_online: 0 };
const names: readonly EventName[] = ["SpawnNew", "WorkerDeath", "Ready", "OldExit"];

type MasterStart = Extract<Effect, { type: "startMaster" }>;

export interface SimulatedMaster {
  ask(call: number, ask: MasterAsk): void;
  /** What it could do next: every deed but the last kind is a good one. */
  deeds(): { readonly name: string; readonly good: boolean; readonly run: (choice: number) => void }[];
  /** What arrives next from it; undefined while it has nothing to say. */
  receive(): Message | undefined;
}

export function openMaster({ call: startCall, start }: MasterStart): SimulatedMaster {
  const channel: Message[] = [];
  let phase: "empty" | "booting" | "rest" | "stopping" | "dead" = start.resume ? "rest" : "booting";
  let exit: string | null = null;
  let exitTold = false;
  let generation = start.generation;
  let deploy: { id: string; launch: ResolvedLaunch; workerCount: number; calls: number[] } | null = null;
  const settled = new Set<string>();

  const say = (message: Message): void => void channel.push(message);
  const answer = (call: number, result: Answer): void => say({ type: "masterAnswered", call, result });
  const refuse = (
    call: number,
    error: "StillBooting" | "DeployInProgress" | "NoDeployInProgress" | "UnknownDeploy",
  ): void => say({ type: "masterRefused", call, refusal: { error } });
  const tell = (name: EventName): void =>
    say({ type: "masterEvent", event: { name, counts, waitingFor: null } });
  const leave = (how: string): void => {
    phase = "dead";
    exit = how;
  };
  const settle = (outcome: "done" | "failed" | "aborted"): void => {
    if (!deploy) return;
    if (outcome === "done") {
      generation += 1;
      say({
        type: "masterServing",
        serving: { generation, workerCount: deploy.workerCount || 2, launch: deploy.launch },
      });
    }
    settled.add(deploy.id);
    for (const call of deploy.calls) answer(call, { deploy: deploy.id, outcome, counts, killed: 0 });
    deploy = null;
  };
  if (start.resume) answer(startCall, { outcome: "ready", counts });

  return {
    ask(call, ask) {
      if (phase === "dead") return;
      switch (ask.method) {
        case "status":
          return answer(call, { phase: "online", counts, waitingFor: null, workers: [] });
        case "deploy":
          if (phase === "rest" && !deploy) deploy = { ...ask.params, calls: [call] };
          else refuse(call, deploy ? "DeployInProgress" : "StillBooting");
          return;
        case "attachDeploy":
          if (deploy?.id === ask.params.deploy) deploy.calls.push(call);
          else refuse(call, "UnknownDeploy");
          return;
        case "abortDeploy":
          deploy?.calls.push(call);
          return deploy ? settle("aborted") : refuse(call, "NoDeployInProgress");
        case "stop":
          if (phase === "booting") answer(startCall, { outcome: "stopped", counts });
          settle("failed");
          phase = "stopping";
          return answer(call, {});
      }
    },
    deeds() {
      if (phase === "dead") return [];
      const deeds = [
        {
          name: "event",
          good: false,
          run: (choice: number) => tell(names[choice % names.length] ?? "Ready"),
        },
        { name: "waiting", good: false, run: () => say({ type: "masterWaiting", waiting: { workers: [] } }) },
        {
          name: "die",
          good: false,
          run: (choice: number) => {
            // What it had said last may not have left it.
            channel.splice(channel.length - (choice % (channel.length + 1)));
            leave("was killed by SIGKILL");
          },
        },
      ];
      if (phase === "booting") {
        const boot = () => {
          phase = "rest";
          tell("Bootup");
          say({
            type: "masterServing",
            serving: { generation, workerCount: start.workerCount, launch: start.launch },
          });
          answer(startCall, { outcome: "ready", counts });
        };
        const fail = () => {
          tell("NewDeath");
          answer(startCall, { outcome: "failed", counts, failed: { reason: "worker 0 exited with code 1" } });
          leave("exited with code 0");
        };
        const decline = () => {
          say({ type: "masterRefused", call: startCall, refusal: { error: "BadLaunch" } });
          phase = "empty";
        };
        deeds.push({ name: "boot", good: true, run: boot }, { name: "boot", good: true, run: boot });
        deeds.push({ name: "fail", good: false, run: fail }, { name: "decline", good: false, run: decline });
      }
      if (deploy) {
        deeds.push({ name: "done", good: true, run: () => settle("done") });
        deeds.push({ name: "failed", good: false, run: () => settle("failed") });
      }
      if (phase === "stopping")
        deeds.push({ name: "leave", good: true, run: () => leave("exited with code 0") });
      return deeds;
    },
    receive() {
      const next = channel.shift();
      if (next || exit === null || exitTold) return next;
      exitTold = true;
      return { type: "masterExited", how: exit };
    },
  };
}
