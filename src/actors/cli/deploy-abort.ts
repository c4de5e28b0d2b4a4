/** `naught deploy-abort` */
import { callDaemon } from "./call.js";
import { isError } from "./failure.js";
import type { InvocationOf } from "./parse.js";
import { deployAborted, noDeploy } from "./print.js";
import type { Terminal } from "./terminal.js";

export function runDeployAbort(
  invocation: InvocationOf<"deploy-abort">,
  terminal: Terminal,
): Promise<number> {
  const { command, options, operand: ipcFile } = invocation;
  const call = { command, options, ipcFile, terminal, absent: 1 };
  return callDaemon(call, async ({ client }) => {
    try {
      await client.abortDeploy({});
    } catch (error) {
      if (!isError(error, "NoDeployInProgress")) throw error;
      terminal.err(noDeploy);
      return 1;
    }
    terminal.err(deployAborted);
    return 0;
  });
}
