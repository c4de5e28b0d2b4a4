// Express with express-graceful-exit, as the manual has it: a handler that throws ends the worker, gracefully.
const express = require("express");
const { gracefulExitHandler } = require("express-graceful-exit");
const { address, answer } = require("./answer.cjs");
const app = express();
app.get("/throw", () => { throw new Error("thrown on purpose"); });
app.get(/.*/, async (request, response) => response.json(await answer(request.url)));
app.use((error, request, response, next) => {
  response.status(500).json({ error: error.message });
  process.send("offline");
  gracefulExitHandler(app, server);
});
const server = app.listen(address.port, address.host, () => process.send?.("online"));
process.on("message", (message) => message === "shutdown" && gracefulExitHandler(app, server));
