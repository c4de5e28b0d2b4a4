/** A start on another host: the script is there, so the naught there starts it, and what it says is passed on. */
import { quoteWords } from "../../client/shell.js";
import { runSsh, type Ssh } from "../../client/ssh.js";
import { diagnose } from "../../client/ssh-end.js";
import { defaultPatience } from "../../client/ssh-reach.js";
import { waitInterruptibly } from "./interrupt.js";
import type { InvocationOf } from "./parse.js";
import { printError, startDetached } from "./print.js";
import type { Remote } from "./remote.js";
import { remoteOptions } from "./remote-options.js";
import type { Terminal } from "./terminal.js";

/** Returns the exit status of the command over there. */
export async function startRemote(
  invocation: InvocationOf<"start">,
  remote: Remote,
  terminal: Terminal,
): Promise<number> {
  const { destination, command, patience = defaultPatience } = remote;
  const line = `${command} ${quoteWords(listWords(invocation))}`;
  const run = async (mayAsk: boolean) => {
    const ssh = runSsh(destination, line, { patience, mayAsk });
    ssh.stdin.end();
    passOn(ssh, terminal);
    const end = await waitInterruptibly(ssh.ended, ["SIGINT", "SIGTERM"], () => "leave");
    if (!end) ssh.kill();
    return end;
  };
  const silent = await run(false);
  const mustAsk = silent?.code === 255 && remote.mayAsk && diagnose(silent).failure === "login";
  const end = mustAsk ? await run(true) : silent;
  if (!end) {
    terminal.err(startDetached);
    return 1;
  }
  const { code } = end;
  // What the command over there had to say is passed on already.
  if (code !== null && code < 126) return code;
  terminal.err(printError(invocation.command, `cannot start on ${destination.text}: ${diagnose(end).why}`));
  return 1;
}

/** As they were typed: only the other host knows its own directory, processors and defaults. */
export function listWords({ command, typed, operand = "", tail = [] }: InvocationOf<"start">): string[] {
  const options = Object.entries(typed).filter(([name]) => !(name in remoteOptions));
  return [command, ...options.map(([name, text]) => `--${name}=${text}`), "--", operand, ...tail];
}

function passOn({ stdout, stderr }: Ssh, terminal: Terminal): void {
  forward(stdout, (text) => terminal.out(text));
  forward(stderr, (text) => terminal.err(text));
}

function forward(stream: NodeJS.ReadableStream, print: (text: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) print(line);
  });
  stream.on("end", () => {
    if (rest) print(rest);
  });
}
