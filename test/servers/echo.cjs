// Tells what it was started with.
const { exitOnShutdown, routes } = require("./http-core.cjs");
exitOnShutdown();
routes["/echo"] = () => ({
  pid: process.pid, argv: process.argv, execArgv: process.execArgv, cwd: process.cwd(), env: process.env,
  main: require.main?.filename ?? null, isMain: require.main === module, hasParent: Boolean(module.parent),
});
