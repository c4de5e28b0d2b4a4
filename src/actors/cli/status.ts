/** `naught status` */
import { callDaemon } from "./call.js";
import type { InvocationOf } from "./parse.js";
import { printStatus } from "./print.js";
import { printDetails } from "./print-details.js";
import type { Terminal } from "./terminal.js";

export function runStatus(invocation: InvocationOf<"status">, terminal: Terminal): Promise<number> {
  const { command, options, operand: ipcFile } = invocation;
  const call = { command, options, ipcFile, terminal, absent: 1 };
  return callDaemon(call, async ({ client }) => {
    const status = await client.status({});
    if (options.json) terminal.out(JSON.stringify(status, null, 2));
    else terminal.out([printStatus(status), ...(options.verbose ? printDetails(status) : [])].join("\n"));
    return 0;
  });
}
