// Bundles the compiled programs into dist/: one CommonJS file each, because that starts fastest
// (a worker's preload must be CommonJS anyway) and leaves the package without runtime dependencies.
import { execFileSync } from "node:child_process";
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
  entryPoints: { protocol: "build/src/protocol/index.js", client: "build/src/client/index.js" },
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  logLevel: "warning",
});
chmodSync("dist/naught.cjs", 0o755);
for (const part of ["protocol", "client"]) {
  cpSync(`build/src/${part}`, `dist/types/${part}`, {
    recursive: true,
    filter: (path) => !/\.(js|map)$/.test(path),
  });
}
// What the daemon answers to `rpc.discover`.
execFileSync(process.execPath, ["build/scripts/openrpc.js", "dist/openrpc.json"], { stdio: "inherit" });
