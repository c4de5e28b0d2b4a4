/**
 * A primary of node:cluster that replaces its two workers again and again, for tests of the drain alone.
 * Arguments: the preload, the server, how many rounds.
 */
import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";

const [preload = "", script = "", rounds = "0"] = process.argv.slice(2);

// The test has gone; so do the workers, with their primary.
process.once("disconnect", () => process.exit(1));
cluster.setupPrimary({ exec: script, args: [], execArgv: ["--require", preload] });
let workers = await forkAll("1");
process.send?.("online");
await once(process, "message");
const gone: Promise<unknown>[] = [];
for (let round = 0; round < Number(rounds); round += 1) {
  const old = workers;
  workers = await forkAll(String(round + 2));
  gone.push(...old.map((worker) => once(worker, "exit")));
  for (const worker of old) worker.send({ drain: { grace: 10, timeout: 30 } });
  // Rounds overlap, but not without limit, so that each of them meets load.
  if (round % 4 === 3) await Promise.all(gone);
}
await Promise.all(gone);
process.send?.("replaced");
await once(process, "message");
process.exit(0);

async function forkAll(version: string): Promise<Worker[]> {
  const all = [0, 1].map(() => cluster.fork({ VERSION: version }));
  await Promise.all(all.map(isOnline));
  return all;
}

function isOnline(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.on("message", (message: unknown) => message === "online" && resolve());
    worker.on("error", () => {});
  });
}
