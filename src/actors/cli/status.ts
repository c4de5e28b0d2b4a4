/** `naught status` */
import { callDaemon } from "./call.js";
import type { InvocationOf } from "./parse.js";
import { printStatus } from "./print.js";
import type { Terminal } from "./terminal.js";

export function runStatus(invocation: InvocationOf<"status">, terminal: Terminal): Promise<number> {
  const { command, options, operand: ipcFile } = invocation;
  const call = { command, options, ipcFile, terminal, absent: 1 };
  return callDaemon(call, async ({ client }) => {
    terminal.out(printStatus(await client.status({})));
    return 0;
  });
}
