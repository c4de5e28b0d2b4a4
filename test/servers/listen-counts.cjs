// Tells each connection who has it, and keeps it.
const server = require("node:net").createServer((socket) => socket.on("error", () => {}).write(String(process.pid)));
server.listen({ host: process.env.HOST, port: process.env.PORT }, () => process.send("online"));
process.on("message", (message) => message === "shutdown" && process.exit(0));
