/** Answers to clients: what the machine and the master say, and what only the daemon can see of its processes and files. */
import type { Status, WorkerRef } from "../../protocol/types.js";
import type { Calls } from "../actor.js";
import { type Identity, versions } from "./identity.js";
import type { Logs } from "./logs.js";
import type { Sockets } from "./sockets.js";
import type { Answer } from "./state.js";
import type { Usages } from "./usages.js";

export interface Answers {
  reply(call: number, result: Answer): void;
  /** Resolves when every answer so far was given. */
  settled(): Promise<unknown>;
}

/** What there is at the moment. */
interface Parts {
  readonly identity: Identity;
  readonly usages: Usages;
  readonly sockets: Sockets | undefined;
  readonly logs: Logs | undefined;
  /** Its process id. */
  readonly master: number | undefined;
}

/** Milliseconds that a worker's last words are waited for once it is gone. */
export const tailPatience = 1000;

export function createAnswers(calls: Pick<Calls, "answer">, parts: () => Parts): Answers {
  const answering = new Set<Promise<void>>();

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
    const { identity, usages, sockets, logs, master } = parts();
    return {
      ...status,
      workers: status.workers.map((worker) => ({ ...worker, usage: usages.of(worker.pid) })),
      sockets: sockets?.list() ?? [],
      logs: logs?.report() ?? [],
      daemon: { pid: process.pid, usage: usages.of(process.pid) },
      ...(master === undefined ? {} : { master: { pid: master, usage: usages.of(master) } }),
      versions,
      uptime: identity.uptime,
    };
  }

  async function readTail(worker: WorkerRef | undefined): Promise<string[]> {
    const { logs } = parts();
    return worker && logs ? logs.outputs.tail(worker.id, tailPatience) : [];
  }

  return { reply, settled: () => Promise.all(answering) };
}
