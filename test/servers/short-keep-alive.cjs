// Advertises two seconds of keep-alive, and exits at once when it is told to shut down.
const { createServer } = require("node:http");
const { address, answer } = require("./answer.cjs");
const server = createServer({ keepAliveTimeout: 2_000 }, async (request, response) => {
  response.end(JSON.stringify(await answer(request.url)));
});
server.listen(address, () => process.send?.("online"));
process.on("message", (message) => message === "shutdown" && process.exit(0));
