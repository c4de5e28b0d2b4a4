// Insists on keep-alive in every way there is; `/captured` as the middleware on-headers does.
const { createServer } = require("node:http");
const { serve } = require("./drain-core.cjs");
const mine = { Connection: "keep-alive", "X-Mine": "1" };
const ways = {
  "/nothing": () => {},
  "/set": (response) => response.setHeader("connection", "keep-alive").setHeader("X-Mine", "1"),
  "/object": (response) => response.writeHead(200, mine),
  "/flat": (response) => response.writeHead(200, "Fine", Object.entries(mine).flat()),
  "/pairs": (response) => response.writeHead(200, Object.entries(mine)),
  "/both": (response) => response.setHeader("X-Mine", "1").writeHead(200, { connection: "keep-alive" }),
  "/captured": (response, captured) => captured.call(response, 200, mine),
};
serve(createServer((request, response) => {
  ways[request.url](response, response.writeHead);
  response.end("ok");
}));
