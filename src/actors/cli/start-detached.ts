/** A start whose daemon is a process of its own, which lives on when the command has ended. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Start } from "../../protocol/types.js";
import { cleanDaemonEnvironment } from "../environment.js";
import { waitInterruptibly } from "./interrupt.js";
import { settlesWithin } from "./process-end.js";
import { firstInheritedFd, type SpawnedDaemon, spawnDaemon } from "./reach.js";
import { isReady, requestStart, type StartOutcome } from "./start-outcome.js";
import type { Terminal } from "./terminal.js";
import { createWatcher } from "./watcher.js";

/** How long, in milliseconds, a daemon that has nothing to do may take to end. */
const patience = 5_000;

/** How long, in milliseconds, the answer of a daemon that has ended already may take on a machine that is busy. */
const answerPatience = 1_000;

/** `fds` are this process's; the daemon knows them by other numbers. */
export async function startDetached(
  start: Start,
  fds: readonly number[],
  terminal: Terminal,
): Promise<StartOutcome> {
  const listenFds = fds.map((_, index) => firstInheritedFd + index);
  const { cwd } = start.launch;
  const daemon = spawnDaemon({ cwd, env: cleanDaemonEnvironment(process.env), fds }, createWatcher(terminal));
  let rollback: Promise<unknown> | undefined;
  const work = async (): Promise<StartOutcome> => {
    const answer = await awaitOutcome(daemon, { ...start, listenFds });
    if (rollback) await rollback;
    const outcome: StartOutcome = rollback ? { kind: "rolled back" } : answer;
    daemon.release();
    // Whoever starts again at once must not meet the remains of this daemon.
    if (!isReady(outcome)) await settlesWithin(patience, daemon.ended);
    return outcome;
  };
  const outcome = await waitInterruptibly(work(), ["SIGINT", "SIGTERM"], (count) => {
    if (count > 2) return "leave";
    rollback = daemon.peer.client.stop({ timeout: count === 1 ? 1 : 0 }).catch(() => {});
    return "wait";
  });
  return outcome ?? { kind: "left", pid: daemon.pid };
}

async function awaitOutcome(daemon: SpawnedDaemon, start: Start): Promise<StartOutcome> {
  const ended = daemon.ended.then(async (why): Promise<StartOutcome> => {
    // Its answer may still be on the way: what it wrote last is read before its channel counts as closed.
    await sleep(answerPatience);
    return { kind: "ended", why };
  });
  const answer = requestStart(daemon.peer, start).then((outcome) => outcome ?? lost(ended));
  return Promise.race([answer, ended]);
}

async function lost(ended: Promise<StartOutcome>): Promise<StartOutcome> {
  if (await settlesWithin(2 * answerPatience, ended)) return ended;
  return { kind: "ended", why: "the daemon closed its channel without an answer" };
}
