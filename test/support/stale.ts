/** A socket file whose server was killed, and which says nothing about whose it was. */

import type { Naught } from "./naught.js";
import { launch } from "./running.js";

export async function leaveStaleSocket(naught: Naught, name: string): Promise<void> {
  const code = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  await launch(process.execPath, ["-e", code, name], { cwd: naught.dir, env: naught.env }).finished;
}
