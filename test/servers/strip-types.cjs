// For Node 20, which cannot strip types itself: node --require strip-types.cjs server.ts
const { readFileSync } = require("node:fs");
require.extensions[".ts"] = (module, path) => {
  const { transpileModule, ModuleKind } = require("typescript");
  const options = { compilerOptions: { module: ModuleKind.CommonJS, target: "es2022" } };
  module._compile(transpileModule(readFileSync(path, "utf8"), options).outputText, path);
};
