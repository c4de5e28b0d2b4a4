/** A daemon that is stopped, or that its disk holds up, answers nothing: a command says so instead of waiting in silence. */
import { setTimeout as sleep } from "node:timers/promises";
import { ownerFile, readOwner } from "../owner-file.js";
import { isSameProcess, readProcess } from "../proc.js";
import { printSilent } from "./print.js";
import { settlesWithin } from "./process-end.js";
import type { DaemonPeer } from "./reach.js";

/** Milliseconds; what is answered sooner is never asked about. */
const firstAsk = 1_000;
/** Milliseconds without an answer. */
const patience = 4_000;

/** Calls `tell` each time that the daemon falls silent; the returned function ends that. */
export function watchForSilence({ client }: Pick<DaemonPeer, "client">, tell: () => void): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  const watch = async (): Promise<void> => {
    for (let pause = firstAsk; ; pause = patience) {
      await sleep(pause, undefined, { signal, ref: false });
      // That it was refused is an answer, too; that the connection is lost is told elsewhere.
      const answer = client.hello({}).catch(() => {});
      if (await settlesWithin(patience, answer)) continue;
      if (!signal.aborted) tell();
      await answer;
    }
  };
  watch().catch(() => {});
  return () => ending.abort();
}

/** What is known here of the daemon of an ipc file of this machine. */
export function describeSilence(ipcFile: string): string {
  const owner = readOwner(ownerFile(ipcFile));
  if (!owner || !isSameProcess(owner.pid, owner.startTime)) return printSilent();
  return printSilent(owner.pid, readProcess(owner.pid)?.state === "T");
}
