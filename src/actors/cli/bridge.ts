/** `naught bridge`: this process's stdin and stdout become a connection to the daemon. */
import { ProcessStream } from "../../client/process-stream.js";
import { openSocket } from "../../client/socket.js";
import { bridgeExit } from "../../client/ssh-end.js";
import type { Method } from "../bridge/allowance.js";
import type { InvocationOf } from "./parse.js";
import { defaultIpcFile, resolveIpcFile } from "./paths.js";
import { notRunning, printError, printUnanswered, printUnreachable } from "./print.js";
import type { Terminal } from "./terminal.js";
import { UsageError } from "./usage-error.js";
import { quote } from "./words.js";

/** Stdout belongs to the protocol: whatever is to be said goes to stderr. */
export async function runBridge(invocation: InvocationOf<"bridge">, terminal: Terminal): Promise<number> {
  const { command, operand: ipcFile = defaultIpcFile, options } = invocation;
  const allowed = options.allow && (await readMethods(options.allow));
  const opened = await openSocket(resolveIpcFile(ipcFile));
  switch (opened.outcome) {
    case "absent":
      terminal.err(notRunning);
      return bridgeExit.absent;
    case "unanswered":
      terminal.err(printUnanswered(ipcFile));
      return bridgeExit.unanswered;
    case "refused":
      terminal.err(printError(command, printUnreachable(ipcFile, opened.why)));
      return 1;
    case "connected": {
      const stdio = new ProcessStream(process.stdin, process.stdout);
      if (!allowed) {
        await (await import("../bridge/transparent.js")).runTransparent(stdio, opened.socket);
      } else {
        const tell = (line: string): void => terminal.err(printError(command, line));
        const { runRestricted } = await import("../bridge/restricted.js");
        await runRestricted(stdio, opened.socket, allowed, tell);
      }
      return 0;
    }
  }
}

async function readMethods(names: readonly string[]): Promise<ReadonlySet<Method>> {
  const { methods } = await import("../bridge/allowance.js");
  const found = names.map((name) => {
    const method = methods.find((known) => known === name);
    if (!method) throw new UsageError(`--allow knows no method ${quote(name)}, only ${methods.join(", ")}`);
    return method;
  });
  return new Set(found);
}
