// Opens, uses and closes a server, and tells whether it is still in memory. Needs --expose-gc.
const { createServer, get } = require("node:http");
const { setTimeout: delay } = require("node:timers/promises");
async function use() {
  const server = createServer((_, response) => response.end("ok"));
  await new Promise((done) => server.listen(0, done));
  await new Promise((done) => get({ port: server.address().port, agent: false }, (got) => got.resume().on("close", done)));
  await new Promise((done) => server.close(done));
  return new WeakRef(server);
}
use().then(async (server) => {
  for (let tries = 0; tries < 50 && server.deref(); tries += 1) { await delay(20); gc(); }
  process.send({ forgotten: server.deref() === undefined });
});
