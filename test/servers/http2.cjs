// http2 of the kind that KIND says, with streams of every sort; it exits at once when it is told to shut down.
const http2 = require("node:http2");
const { address, answer } = require("./answer.cjs");
const { key, cert } = require("./certificate.cjs");
const server = {
  plain: () => http2.createServer(),
  secure: () => http2.createSecureServer({ key, cert }),
  both: () => http2.createSecureServer({ key, cert, allowHTTP1: true }),
}[process.env.KIND ?? "plain"]();
server.on("request", async (request, response) => {
  if (request.url === "/events") return response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
  response.end(JSON.stringify(await answer(request.url)));
});
server.on("connect", (_, response) => response.stream.respond({ ":status": 200 }));
server.listen(address, () => process.send?.("online"));
process.on("message", (message) => message === "shutdown" && process.exit(0));
