// http2, plain or with SECURE: answers late, streams events, opens tunnels, and reports how many streams have come.
const http2 = require("node:http2");
const { serve } = require("./drain-core.cjs");
const server = process.env.SECURE ? http2.createSecureServer(require("./certificate.cjs")) : http2.createServer();
let streams = 0;
server.on("stream", (stream, { ":method": method, ":path": path }) => {
  streams += 1;
  if (method === "CONNECT") return stream.respond(), stream.write("tunnel");
  if (path === "/large") return stream.respond(), stream.end("x".repeat(8_000_000));
  if (path !== "/events") return setTimeout(() => (stream.respond(), stream.end("ok")), Number(path.slice(1)));
  setTimeout(() => (stream.respond({ "content-type": "text/event-stream" }), stream.write("data: 1")), 100);
});
process.on("message", (message) => message === "count" && process.send({ streams }));
serve(server);
