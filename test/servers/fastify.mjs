// Fastify; its keepAliveTimeout is 72 s, and it closes itself when it is told to shut down.
import fastify from "fastify";
import { address, answer } from "./answer.cjs";
const app = fastify();
app.get("/*", (request) => answer(request.url));
await app.listen(address);
process.send?.("online");
process.on("message", (message) => message === "shutdown" && app.close());
