// Servers that change their minds: listens and closes in every order, and writes down what came of each step.
const { writeFileSync } = require("node:fs");
const { createServer } = require("node:net");
const { HOST: host, PORT: port, NAUGHT_WORKER: slot = "alone" } = process.env;
const listen = (server, options) =>
  new Promise((resolve) => {
    server.once("error", ({ message }) => resolve(message)).once("listening", () => resolve(server.address()));
    server.listen(options);
  });
const close = (server) => new Promise((resolve) => server.close((error) => resolve(error?.code ?? "closed")));
const isOnly = process.env.WORKERS === "1";
const at = { host, port };
const steps = {
  async again() {
    const server = createServer();
    return [await listen(server, at), await close(server), await listen(server, at), await close(server)];
  },
  async another() {
    const [first, second] = [createServer(), createServer()];
    return [await listen(first, at), await close(first), await listen(second, at), await close(second)];
  },
  async atOnce() {
    const [first, second] = [createServer(), createServer()];
    await listen(first, at);
    first.close();
    return [await listen(second, at), await close(second)];
  },
  async beforeTheSocket() {
    const [first, second] = [createServer(), createServer()];
    first.on("listening", () => { throw new Error("closed, and listens"); });
    first.listen(at);
    first.close();
    return [first.listening, await listen(second, at), await close(second)];
  },
  async twiceBeforeTheSocket() {
    const server = createServer();
    for (let count = 0; count < 3; count += 1) server.listen(at).close();
    return [await listen(server, at), await close(server)];
  },
  async otherHost() {
    // Workers on different addresses would rightly be in each other's way.
    if (!isOnly) return [];
    const server = createServer();
    return [await listen(server, { ...at, host: "0.0.0.0", port: 18079 }), await close(server),
      await listen(server, { ...at, port: 18079 }), await close(server)];
  },
  async freePort() {
    // Those of several workers share the port that was found first, as under node:cluster.
    if (!isOnly) return [];
    const probe = createServer();
    const { port: found } = await listen(probe, { host, port: 0 });
    await close(probe);
    const server = createServer();
    return [(await listen(server, { host, port: found })).port === found, await close(server)];
  },
  async otherPath() {
    const server = createServer();
    return [await listen(server, "one"), await close(server), await listen(server, "one"), await close(server)];
  },
  async oneTooMany() {
    const [first, second] = [createServer(), createServer()];
    return [await listen(first, at), await listen(second, at), await close(first), await listen(second, at), await close(second)];
  },
  async unref() {
    const server = createServer().unref();
    return [await listen(server, at), await close(server)];
  },
  async signal() {
    const controller = new AbortController();
    const server = createServer();
    const address = await listen(server, { ...at, signal: controller.signal });
    controller.abort();
    await new Promise((resolve) => server.once("close", resolve));
    return [address, server.listening];
  },
};
(async () => {
  const results = {};
  for (const [name, step] of Object.entries(steps)) results[name] = await step();
  writeFileSync(`results-${slot}.json`, JSON.stringify(results));
  if (slot === "alone") process.exit(0);
  process.send("online");
})();
process.on("message", (message) => message === "shutdown" && process.exit(0));
