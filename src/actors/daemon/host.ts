/** What the daemon offers to its master: a place for events, output and listening sockets. */
import { now } from "../../clock.js";
import type { CallContext, Handlers } from "../../protocol/contract.js";
import type { Host } from "../../protocol/master.js";
import { carryHandle } from "../../protocol/transport.js";
import type { PoolEvent } from "../../protocol/types.js";
import { createTidier } from "../tidier.js";
import { createDeaths } from "./deaths.js";
import type { Logs } from "./logs.js";
import type { Sockets } from "./sockets.js";
import type { Message } from "./state.js";
import type { Usages } from "./usages.js";

/** Without what only an heir is asked. */
export type HostHandlers = Omit<Handlers<typeof Host>, "give" | "inherit">;

/** `post` keeps the order of what it is given, also where that has to be waited for. */
export function createHost(
  post: (message: Message | Promise<Message>) => void,
  logs: Logs,
  sockets: Sockets,
  usages: Usages,
  beat: () => void,
): HostHandlers {
  const tidy = createTidier();
  const deaths = createDeaths(logs.outputs);
  return {
    event(event) {
      if (event.name === "Ready") tidy();
      followWorkers(event, sockets, usages);
      const tell = (told: PoolEvent): Message => ({ type: "masterEvent", event: told });
      post(deaths.concerns(event) ? deaths.complete(event).then(tell) : tell(event));
    },
    change: (change) => post({ type: "masterChanged", change, at: now() }),
    serving(serving) {
      sockets.takeOver(serving.generation);
      post({ type: "masterServing", serving });
    },
    waiting: (waiting) => post({ type: "masterWaiting", waiting }),
    async output(output, { handle }: CallContext) {
      await logs.outputs.attach(output, handle);
      return {};
    },
    sync: () => ({}),
    async listen(wish) {
      const { listened, handle } = await sockets.listen(wish);
      if (handle) carryHandle(listened, handle);
      return listened;
    },
    unlisten: ({ worker, key }) => sockets.unlisten(worker, key),
    native: () => sockets.sayNative(),
    beat,
  };
}

// A socket that no worker of the serving generation uses is given up; who uses it can be told only at rest.
function followWorkers({ name, worker, waitingFor }: PoolEvent, sockets: Sockets, usages: Usages): void {
  const isGone =
    name === "OldExit" || name === "NewDestroyed" || name === "WorkerDeath" || name === "NewDeath";
  if (name === "Ready") sockets.setAtRest(true);
  else if (waitingFor !== null || name === "WorkerDeath" || name === "WorkerOffline")
    sockets.setAtRest(false);
  if (!worker) return;
  if (!isGone) return usages.follow(worker.pid);
  usages.forget(worker.pid);
  sockets.forget(worker);
}
