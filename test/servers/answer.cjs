// What every server under test answers: who it is, and for which request. The version is read once, at boot.
const { existsSync, readFileSync } = require("node:fs");
const version = process.env.VERSION ?? (existsSync("version") ? readFileSync("version", "utf8").trim() : "1");
exports.address = { host: process.env.HOST, port: Number(process.env.PORT) };
exports.answer = async (path) => {
  const query = new URL(path, "http://server").searchParams;
  if (query.has("ms")) await new Promise((resolve) => setTimeout(resolve, Number(query.get("ms"))));
  return { pid: process.pid, worker: process.env.NAUGHT_WORKER ?? null, version, id: query.get("id") };
};
