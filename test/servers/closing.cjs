// Shuts down by itself, in the way that WAY says.
const { createServer } = require("node:http");
const { address, answer } = require("./answer.cjs");
const server = createServer(async (request, response) => response.end(JSON.stringify(await answer(request.url))));
const exit = () => process.exit(0);
const shutdown = {
  close: () => () => server.close(exit),
  "closeAllConnections": () => () => { server.close(exit); server.closeAllConnections(); },
  "http-terminator": () => require("http-terminator").createHttpTerminator({ server }).terminate,
  stoppable: () => { require("stoppable")(server); return () => server.stop(exit); },
  "close-with-grace": () => require("close-with-grace")(() => new Promise((done) => server.close(done))).close,
}[process.env.WAY]();
server.listen(address, () => process.send?.("online"));
process.on("message", (message) => message === "shutdown" && shutdown());
