/** A connection to a daemon on another host: `naught bridge` over ssh, watched for signs of life. */

import { createInterface } from "node:readline";
import { pipeline } from "node:stream";
import { now } from "../clock.js";
import { Daemon } from "../protocol/daemon.js";
import { NaughtError } from "../protocol/errors.js";
import { openFrames } from "../protocol/frames.js";
import { connect } from "../protocol/peer.js";
import { Watcher } from "../protocol/watcher.js";
import { type Destination, parseDestination } from "./destination.js";
import { skipGreeting } from "./greeting.js";
import { ProcessStream } from "./process-stream.js";
import type { DaemonPeer, Reached, WatcherHandlers } from "./reach.js";
import { quoteWords } from "./shell.js";
import { runSsh, type Ssh, type SshOptions } from "./ssh.js";
import { diagnose, type SshEnd } from "./ssh-end.js";
import type { Host } from "./types.js";

export const defaultPatience = 15;

/** How long, in seconds, a person who is asked something may take: as long as an ssh server waits for a login. */
const askPatience = 120;

/** Milliseconds that an ssh which has nothing more to say may take to end. */
const endPatience = 3_000;

export async function reachOverSsh(target: Host, handlers: WatcherHandlers): Promise<Reached> {
  const destination = parseDestination(target.host);
  if (!destination) {
    return { outcome: "unreachable", why: `${JSON.stringify(target.host)} is not [user@]host[:port]` };
  }
  const reached = await attempt(destination, target, handlers, false);
  // Without a terminal of its own ssh cannot ask, but lives through a Ctrl-C. So that is tried first.
  if (target.mayAsk && reached.outcome === "unreachable" && reached.login) {
    return attempt(destination, target, handlers, true);
  }
  return reached;
}

async function attempt(
  destination: Destination,
  target: Host,
  handlers: WatcherHandlers,
  mayAsk: boolean,
): Promise<Reached> {
  const { patience = defaultPatience, ipcFile, command = "naught" } = target;
  const options: SshOptions = { patience, mayAsk };
  const words = ["bridge", ...(ipcFile?.startsWith("-") ? ["--"] : []), ...(ipcFile ? [ipcFile] : [])];
  const ssh = runSsh(destination, `${command} ${quoteWords(words)}`, options);
  const peer = connect(
    openFrames(
      new ProcessStream(
        pipeline(ssh.stdout, skipGreeting(), () => {}),
        ssh.stdin,
      ),
    ),
    Watcher,
    handlers,
    Daemon,
  );
  const allowed = (mayAsk ? askPatience : patience + 2) * 1_000;
  const answer = await within(allowed, greet(peer));
  if (answer === "answered") {
    ssh.settle();
    const explainLoss = watchLink(peer, ssh, patience);
    if (target.onNote) passNotes(ssh, target.onNote);
    return { outcome: "connected", peer, explainLoss };
  }
  if (answer === "late") {
    ssh.kill();
    return { outcome: "unreachable", why: describe(destination, `no answer within ${allowed / 1_000} s`) };
  }
  // It has closed its output, so it is about to end.
  const end = await within(endPatience, ssh.ended);
  if (end !== "late") return judgeEnd(destination, end);
  ssh.kill();
  return { outcome: "unreachable", why: describe(destination, "what answers there is not naught") };
}

function judgeEnd(destination: Destination, end: SshEnd): Reached {
  const { failure, why } = diagnose(end);
  if (failure === "absent" || failure === "unanswered") return { outcome: failure };
  return { outcome: "unreachable", why: describe(destination, why), login: failure === "login" };
}

/** Whatever answers, and be it with a refusal, is there. */
async function greet({ client }: DaemonPeer): Promise<"answered" | "lost"> {
  try {
    await client.hello({});
    return "answered";
  } catch (error) {
    return error instanceof NaughtError && error.kind === "Lost" ? "lost" : "answered";
  }
}

// ssh looks after the link itself, but not when it shares somebody else's connection; nor would it see a host that hangs.
function watchLink(peer: DaemonPeer, ssh: Ssh, patience: number): () => Promise<string> {
  let frozen = false;
  let asked = 0;
  const timer = setInterval(
    () => {
      if (asked > 0) {
        if (now() - asked < patience * 1_000) return;
        frozen = true;
        return ssh.kill();
      }
      asked = now();
      greet(peer).then(() => {
        asked = 0;
      });
    },
    (patience * 1_000) / 3,
  );
  timer.unref();
  peer.onClose(() => {
    clearInterval(timer);
    // It ends by itself, unless it cannot tell the other side.
    setTimeout(ssh.kill, 1_000).unref();
  });
  return async () => {
    const end = await within(endPatience, ssh.ended);
    if (frozen) return `nothing came for ${patience} s`;
    return end === "late" ? "the connection was closed" : diagnose(end).why;
  };
}

// What ssh says of its own end beside its log comes again, with its reason, when the loss is explained.
const ownEnd = /^(Connection to .* closed|Read from remote host|client_loop:|Timeout, server)/;

function passNotes({ stderr }: Ssh, onNote: (line: string) => void): void {
  createInterface({ input: stderr }).on("line", (line) => {
    if (!ownEnd.test(line)) onNote(line.replace(/\p{Cc}/gu, ""));
  });
}

function describe({ text }: Destination, why: string): string {
  return `cannot reach ${text}: ${why}`;
}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | "late"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, milliseconds, "late");
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
