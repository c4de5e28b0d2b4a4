// Does not know the word shutdown, and ends by itself when there is nothing left to do.
const { createServer } = require("node:http");
const { address, answer } = require("./answer.cjs");
const server = createServer(async (request, response) => response.end(JSON.stringify(await answer(request.url))));
server.listen(address, () => process.send?.("online"));
