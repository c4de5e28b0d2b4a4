// Quick answers, slow ones and streams. It leaves as LEAVE says: drains itself, exits at once, or knows no word of it.
const { createServer } = require("node:http");
const { address, answer } = require("./answer.cjs");
const server = createServer(async (request, response) => {
  const isStream = request.url.startsWith("/stream");
  const timer = isStream && setInterval(() => response.write(" "), 100);
  if (isStream) response.write(" ");
  const text = JSON.stringify(await answer(request.url));
  clearInterval(timer);
  response.end(text);
});
server.listen(address, () => process.send?.("online"));
const leave = { drains: () => server.close(() => process.exit(0)), exits: () => process.exit(0) }[process.env.LEAVE];
if (leave) process.on("message", (message) => message === "shutdown" && leave());
