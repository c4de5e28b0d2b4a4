// Answers each datagram with its process id and what it was. `close` is the last that its worker reads. It may join a
// group, or be connected to one PEER.
const { createSocket } = require("node:dgram");
const { HOST: address, PORT: port, TYPE = "udp4", GROUP, PEER, HANGS } = process.env;
const socket = createSocket(TYPE, (message, from) => {
  const to = PEER ? [] : [from.port, from.address];
  socket.send(`${process.pid} ${message}`, ...to, () => String(message) === "close" && socket.close());
});
const ready = () => (HANGS ? require("node:fs").writeFileSync("hangs", "") : process.send("online"));
socket.bind({ address: GROUP ? "0.0.0.0" : address, port: Number(port) }, () => {
  if (GROUP) socket.addMembership(GROUP, address);
  if (PEER) socket.connect(Number(PEER), address, ready);
  else ready();
});
process.on("message", (message) => message === "shutdown" && process.exit(0));
