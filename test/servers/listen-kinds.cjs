// Listens on everything that a server can listen on, and writes down what came of it; each connection is told who answers.
const { writeFileSync } = require("node:fs");
const { key, cert } = require("./certificate.cjs");
const { HOST: host, PORT: port, BUSY: busy, NAUGHT_WORKER: slot = "alone" } = process.env;
const raw = () => require("node:net").createServer((socket) => socket.end(String(process.pid)));
const say = (_, response) => response.end(String(process.pid));
const named = (name) => `${name}-${slot === "alone" ? "a" : "n"}`;
const kinds = {
  ipv4: [raw, { host, port }],
  ipv6: [raw, { host: "::1", port: 0 }],
  any: [raw, { port: 0 }],
  anyAgain: [raw, { port: 0 }],
  noArguments: [raw],
  hostName: [raw, { host: "localhost", port: 0 }],
  ipv6Only: [raw, { host: "::", port: 0, ipv6Only: true }],
  backlog: [raw, { host, port: 0, backlog: 2 }],
  path: [raw, { path: named("path") }],
  absolutePath: [raw, { path: `${process.cwd()}/${named("absolute")}` }],
  abstract: [raw, { path: `\0${process.cwd()}/${named("abstract")}` }],
  everybodys: [raw, { path: named("everybodys"), readableAll: true, writableAll: true }],
  http: [() => require("node:http").createServer(say), { host, port: 0 }],
  https: [() => require("node:https").createServer({ key, cert }, say), { host, port: 0 }],
  http2: [() => require("node:http2").createServer(say), { host, port: 0 }],
  exclusive: [raw, { host, port: 0, exclusive: true }],
  secondOnThePort: [raw, { host, port }],
  busy: [raw, { host, port: busy }],
  busyAny: [raw, { port: busy }],
  foreign: [raw, { host: "203.0.113.1", port: 1 }],
  foreignIpv6: [raw, { host: "2001:db8::1", port: 1 }],
  noDirectory: [raw, { path: "missing/path" }],
  takenPath: [raw, { path: "/etc/passwd" }],
};
const settle = (server, options) =>
  new Promise((resolve) => {
    server.once("error", ({ code, errno, syscall, address, port, message, name }) =>
      resolve({ code, errno, syscall, address, port, message, name, listening: server.listening }));
    server.once("listening", () => resolve({ listening: server.listening, address: server.address() }));
    server.listen(...(options ? [options] : []));
  });
(async () => {
  const results = {};
  for (const [name, [create, options]] of Object.entries(kinds)) results[name] = await settle(create(), options);
  const socket = require("node:dgram").createSocket("udp4");
  socket.on("message", (_, from) => socket.send(String(process.pid), from.port, from.address));
  await new Promise((resolve) => socket.bind({ address: host, port: 0 }, resolve));
  results.udp = { listening: true, address: socket.address() };
  const { worker, isWorker } = require("node:cluster");
  results.cluster = { isWorker, state: worker?.state, connected: worker?.isConnected() };
  writeFileSync(`results-${process.env.HANGS ? "hanging-" : ""}${slot}.json`, JSON.stringify(results));
  if (slot === "alone") process.exit(0);
  if (!process.env.HANGS) process.send("online");
})();
process.on("message", (message) => message === "shutdown" && process.exit(0));
