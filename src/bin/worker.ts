/** The preload of every worker: a CommonJS bundle that node loads before the app's script. */
import cluster from "node:cluster";
import { isMainThread } from "node:worker_threads";
import { serveWorker } from "../actors/worker/actor.js";

// Worker threads, and processes that the app starts with our arguments, load this, too.
if (isMainThread && cluster.isWorker && process.send && process.env.NAUGHT_WORKER !== undefined) {
  const at = process.execArgv.findIndex(
    (argument, index) => argument === __filename && process.execArgv[index - 1] === "--require",
  );
  if (at > 0) process.execArgv.splice(at - 1, 2);
  serveWorker();
}
