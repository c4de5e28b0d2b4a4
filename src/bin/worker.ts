/** The preload of every worker: a CommonJS bundle that node loads before the app's script. */
import cluster from "node:cluster";
import { serveWorker } from "../actors/worker/actor.js";

// Also in worker threads, which load this, too: neither they nor the app's own children are to be started with it.
const at = process.execArgv.findIndex(
  (argument, index) => argument === __filename && process.execArgv[index - 1] === "--require",
);
if (at > 0) process.execArgv.splice(at - 1, 2);

// A thread has no `process.send`.
if (cluster.isWorker && process.send && process.env.NAUGHT_WORKER !== undefined) serveWorker();
