/** What a server under test loads first when only the drain is tested: it drains when the test says so. */
import cluster from "node:cluster";
import { setImmediate as passTurn } from "node:timers/promises";
import { trackServers } from "../../src/actors/worker/servers.js";

const servers = trackServers();

process.on("message", (message: unknown) => {
  if (message === "hold") servers.hold();
  if (typeof message !== "object" || message === null || !("drain" in message)) return;
  const settled = servers.drain(message.drain as { grace: number; timeout: number });
  void tellBegin();
  void settled.then(() => {
    // The test hears of it first: a server may well exit at once when it is told.
    process.send?.("drained", () => {
      process.emit("message", "shutdown", undefined);
      if (cluster.isWorker) process.channel?.unref();
    });
  });
});

/** What waits to be accepted is accepted first, which takes a few turns. */
async function tellBegin(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await passTurn();
  process.send?.("draining");
}
