// Runs a worker thread at every request and answers what that thread said of itself.
const { Worker } = require("node:worker_threads");
const { exitOnShutdown, routes } = require("./http-core.cjs");
exitOnShutdown();
const code = `require("node:worker_threads").parentPort.postMessage({ send: typeof process.send, execArgv: process.execArgv })`;
routes["/thread"] = () => new Promise((resolve) => new Worker(code, { eval: true }).on("message", resolve));
