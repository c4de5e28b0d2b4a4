// Takes more and more memory once it is asked for /grow.
const { routes, exitOnShutdown } = require("./http-core.cjs");
const held = [];
routes["/grow"] = () => void setInterval(() => held.push(Buffer.alloc(8e6, 1)), 10);
exitOnShutdown();
