/** Who answers at an address: connections one after the other, each of which is told the process id of its worker. */
import { type NetConnectOpts, connect as openSocket } from "node:net";

/** One connection that is closed by the server; the text that came. */
export function askOnce(to: NetConnectOpts, text = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = openSocket(to);
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer at ${JSON.stringify(to)}`)));
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      answer += chunk;
    });
    socket.on("error", reject).on("end", () => resolve(answer));
    if (text !== "") socket.write(text);
  });
}

/** Asks until everybody expected has answered. Fails when somebody else does. */
export async function askUntil(
  ask: () => Promise<string>,
  expected: readonly number[],
  tries = 2_000,
): Promise<void> {
  const missing = new Set(expected);
  for (let count = 0; missing.size > 0; count += 1) {
    if (count === tries)
      throw new Error(`${[...missing].join(" and ")} did not answer once in ${tries} times`);
    const pid = Number(await ask());
    if (!expected.includes(pid)) throw new Error(`${pid} answered, which is not one of ${expected.join()}`);
    missing.delete(pid);
  }
}
