// A server of the kind that KIND says.
const { serve } = require("./drain-core.cjs");
const { key, cert } = require("./certificate.cjs");
const answer = (request, response) => setTimeout(() => response.end("ok"), Number(request.url.slice(1)));
serve({
  https: () => require("node:https").createServer({ key, cert }, answer),
  both: () => require("node:http2").createSecureServer({ key, cert, allowHTTP1: true }, answer),
  net: () => require("node:net").createServer((socket) => socket.pipe(socket)),
}[process.env.KIND]());
