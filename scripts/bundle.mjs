// Bundles the compiled programs into dist/: one CommonJS file each, because that starts fastest
// (a worker's preload must be CommonJS anyway) and leaves the package without runtime dependencies.
import { chmodSync, cpSync, rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
await build({
  entryPoints: ["naught", "daemon", "master", "worker"].map((name) => `build/src/bin/${name}.js`),
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  external: ["koffi", "./daemon.cjs"],
  define: { "import.meta.dirname": "__dirname" },
  legalComments: "linked",
  logLevel: "warning",
});
// CommonJS here, too: it can be imported and required, and the library in it is CommonJS.
await build({
  entryPoints: ["build/src/protocol/index.js"],
  outfile: "dist/protocol.cjs",
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  logLevel: "warning",
});
chmodSync("dist/naught.cjs", 0o755);
cpSync("build/src/protocol", "dist/types", {
  recursive: true,
  filter: (path) => !/\.(js|map)$/.test(path),
});
