// Binds a socket of datagrams in every way, and writes down what came of it.
const { writeFileSync } = require("node:fs");
const { createSocket } = require("node:dgram");
const { HOST: address, PORT, BUSY, BASE, NAUGHT_WORKER: slot = "alone" } = process.env;
const port = Number(PORT);
// For addresses that are everybody's.
const base = Number(BASE);
const v6only = { type: "udp6", ipv6Only: true };
const shared = { type: "udp4", reuseAddr: true };
const kinds = {
  ipv4: ["udp4", { address, port }],
  secondOnThePort: ["udp4", { address, port }],
  ipv6: ["udp6", { address: "::1", port: 0 }],
  any: ["udp4", { port: 0 }],
  anyAgain: ["udp4", { port: 0 }],
  anyIpv6: ["udp6", { port: 0 }],
  noArguments: ["udp4"],
  text: ["udp4", { address, port: "18079" }],
  hostName: ["udp4", { address: "localhost", port: 0 }],
  ipv6Only: [v6only, { port: base }],
  besideIpv6Only: ["udp4", { port: base }],
  reuse: [shared, { address, port: 18077 }],
  reuseAgain: [shared, { address, port: 18077 }],
  busy: ["udp4", { address, port: Number(BUSY) }],
  foreign: ["udp4", { address: "203.0.113.1", port: 1 }],
  foreignIpv6: ["udp6", { address: "2001:db8::1", port: 1 }],
  group: ["udp4", { port: base + 1 }, (socket) => socket.addMembership("224.0.0.114", address)],
  source: ["udp4", { port: base + 2 }, (socket) => socket.addSourceSpecificMembership("192.0.2.1", "232.1.1.1", address)],
  peer: ["udp6", { address: "::1", port: base + 3 }, (socket) => connect(socket, 9, "::1")],
  again: ["udp4", { address, port: 18073 }, (socket) => closeAndBind(socket, { address, port: 18073 })],
  beforeTheSocket: ["udp4", { address, port: 18072 }, undefined, { address, port: 18072 }],
  exclusive: ["udp4", { address, port: 0, exclusive: true }],
  peerAlone: ["udp4", undefined, undefined, "connect"],
};
const connect = (socket, ...to) => new Promise((resolve) => socket.once("error", ({ code }) => resolve(code)).connect(...to, () => resolve(socket.remoteAddress())));
const closeAndBind = (socket, options) => new Promise((resolve) => socket.close(() => resolve(bind("udp4", options))));
const bind = (type, options, then, instead) =>
  new Promise((resolve) => {
    let socket = createSocket(type);
    const watch = () => {
      socket.on("error", ({ code, errno, syscall, address, port, message, name }) =>
        resolve({ code, errno, syscall, address, port, message, name }));
      socket.on("listening", async () => resolve({ listening: true, address: socket.address(), then: await attempt(() => then?.(socket)) }));
    };
    watch();
    if (instead === "connect") return socket.connect(9, address);
    socket.bind(...(options ? [options] : []));
    if (!instead) return;
    socket.close();
    socket = createSocket(type);
    watch();
    socket.bind(instead);
  });
const attempt = async (work) => { try { return await work(); } catch ({ message }) { return message; } };
(async () => {
  const results = {};
  for (const [name, kind] of Object.entries(kinds)) results[name] = await bind(...kind);
  writeFileSync(`results-${process.env.HANGS ? "hanging-" : ""}${slot}.json`, JSON.stringify(results));
  if (slot === "alone") process.exit(0);
  if (!process.env.HANGS) process.send("online");
})();
process.on("message", (message) => message === "shutdown" && process.exit(0));
