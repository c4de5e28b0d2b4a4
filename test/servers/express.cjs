// Express, closing its server when it is told to shut down.
const express = require("express");
const { address, answer } = require("./answer.cjs");
const app = express();
app.get(/.*/, async (request, response) => response.json(await answer(request.url)));
const server = app.listen(address.port, address.host, () => process.send?.("online"));
process.on("message", (message) => message === "shutdown" && server.close());
