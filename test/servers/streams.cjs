// Streams, event streams, websockets and uploads. It says goodbye to those that have no end when it is told to shut down.
const { createServer } = require("node:http");
const { address } = require("./answer.cjs");
const endless = new Set();
const tick = (response, left) => left === 0 ? response.end("end") : (response.write("tick\n"), setTimeout(tick, 100, response, left - 1));
const server = createServer(async (request, response) => {
  if (request.url === "/stream") return tick(response, 50);
  if (request.url === "/events") return endless.add(response.writeHead(200, { "content-type": "text/event-stream", connection: "close" })), response.write("data: 1\n\n");
  let size = 0;
  for await (const chunk of request) size += chunk.length;
  setTimeout(() => response.end(`got ${size}`), request.url === "/late" ? 1_000 : 0);
});
server.on("upgrade", (_, socket) => { endless.add(socket); socket.write("HTTP/1.1 101 Up\r\nUpgrade: echo\r\n\r\n"); socket.pipe(socket); });
server.listen(address, () => process.send?.("online"));
process.on("message", (message) => message === "shutdown" && process.env.FAREWELL !== "no" && endless.forEach((each) => each.end("bye")));
