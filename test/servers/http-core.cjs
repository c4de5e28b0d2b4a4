// A server that serves, and leaves the rest of its behaviour to whoever requires it.
const { createServer } = require("node:http");
const { address, answer } = require("./answer.cjs");
exports.routes = {};
exports.server = createServer(async (request, response) => {
  const route = exports.routes[request.url.split("?")[0]];
  response.end(JSON.stringify((await route?.(request)) ?? (await answer(request.url))));
});
exports.server.listen(address, () => process.send?.("online"));
exports.exitOnShutdown = () => process.on("message", (message) => message === "shutdown" && process.exit(0));
