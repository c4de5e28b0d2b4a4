/**
 * Stands in for `daemon.cjs` beside the command line under test. It plays no part itself: every message goes on
 * to the test through a socket, so that the test is the daemon, wherever that was spawned or loaded.
 */
import { connect } from "node:net";
import { openChannel } from "../../src/protocol/channel.js";
import { openFrames } from "../../src/protocol/frames.js";
import type { Transport } from "../../src/protocol/transport.js";

/** `ended` is called when the test closes its connection, with the exit code that the environment asks for. */
export function serveDaemon(transport: Transport, ended: (exitCode: number) => void): void {
  const exitCode = Number(process.env.CLI_TEST_EXIT ?? 0);
  const socket = connect(process.env.CLI_TEST_BRIDGE ?? "");
  const far = openFrames(socket);
  transport.reader.listen((message) => far.send(message));
  far.reader.listen((message) => transport.send(message));
  socket.on("close", () => ended(exitCode));
}

if (process.argv[1]?.endsWith("daemon.cjs")) {
  if (process.env.CLI_TEST_DIE === "exit") process.exit(7);
  if (process.env.CLI_TEST_DIE === "kill") process.kill(process.pid, "SIGKILL");
  serveDaemon(openChannel(process), (exitCode) => process.exit(exitCode));
}
