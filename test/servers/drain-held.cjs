// Holds its answers back until it is told to release them; streams events; echoes on upgraded connections.
const { createServer } = require("node:http");
const { serve } = require("./drain-core.cjs");
const held = [];
const routes = {
  "/hold": (response) => held.push(response),
  "/head": (response) => { response.write("first "); held.push(response); },
  "/events": (response) => response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n"),
};
const server = createServer({ keepAliveTimeout: Number(process.env.KEEP_ALIVE ?? 5_000) }, (request, response) =>
  (routes[request.url] ?? (() => response.end(`ok ${request.url}`)))(response));
server.on("upgrade", (_, socket) => socket.pipe(socket).write("HTTP/1.1 101 Up\r\nUpgrade: echo\r\n\r\n"));
process.on("message", (message) => message === "release" && held.splice(0).map((each) => each.end("released")));
serve(server);
