// Forks a child of its own at every request and answers all that the child sent.
const { fork } = require("node:child_process");
const { exitOnShutdown, routes } = require("./http-core.cjs");
exitOnShutdown();
routes["/fork"] = () => new Promise((resolve) => {
  const messages = [];
  const child = fork(`${__dirname}/child.cjs`, ["argument"]);
  child.on("message", (message) => messages.push(message)).on("close", () => resolve(messages));
});
