// Says `Connection: keep-alive` itself, on every response.
const { createServer } = require("node:http");
const { address, answer } = require("./answer.cjs");
const server = createServer(async (request, response) => {
  response.setHeader("connection", "keep-alive").end(JSON.stringify(await answer(request.url)));
});
server.listen(address, () => process.send?.("online"));
process.on("message", (message) => message === "shutdown" && process.exit(0));
