// The floor of a protocol: newline-framed JSON over a unix socket, answered with a fixed object of the usual size.
const { createServer } = require("node:net");
const [path, answer] = process.argv.slice(2);
const result = JSON.parse(answer);
const server = createServer((socket) => {
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n")) {
      const { id } = JSON.parse(text.slice(0, at));
      text = text.slice(at + 1);
      socket.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
    }
  });
});
server.listen(path, () => process.send?.("online"));
