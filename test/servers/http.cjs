// Plain node:http, as the manual has it: it exits at once when it is told to shut down.
const { createServer } = require("node:http");
const { address, answer } = require("./answer.cjs");
const server = createServer(async (request, response) => {
  const body = JSON.stringify(await answer(request.url));
  response.setHeader("content-length", Buffer.byteLength(body)).end(body);
});
server.listen(address, () => process.send?.("online"));
process.on("message", (message) => {
  if (message === "shutdown") process.exit(0);
});
