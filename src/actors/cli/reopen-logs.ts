/** `naught reopen-logs` */
import { callDaemon } from "./call.js";
import type { InvocationOf } from "./parse.js";
import type { Terminal } from "./terminal.js";

export function runReopenLogs(invocation: InvocationOf<"reopen-logs">, terminal: Terminal): Promise<number> {
  const { command, options, operand: ipcFile } = invocation;
  return callDaemon({ command, options, ipcFile, terminal, absent: 1 }, async ({ client }) => {
    await client.reopenLogs({});
    return 0;
  });
}
