// /block?for=MS blocks the event loop, for ever without a time; /grow makes the process larger by that many MiB.
const { exitOnShutdown, routes } = require("./http-core.cjs");
exitOnShutdown();
const held = [];
const read = (url, name) => Number(new URL(url, "http://server").searchParams.get(name) ?? Infinity);
routes["/block"] = ({ url }) => {
  for (const end = Date.now() + read(url, "for"); Date.now() < end; );
};
routes["/grow"] = ({ url }) => void held.push(Buffer.alloc(read(url, "by") * 2 ** 20, 1));
