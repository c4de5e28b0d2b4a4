// Bundles the compiled programs into dist/: CommonJS, because that starts fastest (a worker's preload must be CommonJS
// anyway) and leaves the package without runtime dependencies. Each program is its code, in dist/code/, and a small
// file that runs it with the code cache of an earlier start.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, cpSync, readFileSync, rmSync } from "node:fs";
import { build } from "esbuild";

const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  outExtension: { ".js": ".cjs" },
  logLevel: "warning",
};

rmSync("dist", { recursive: true, force: true });
const programs = ["naught", "daemon", "master", "worker"];
await build({
  ...common,
  entryPoints: programs.map((name) => `build/src/bin/${name}.js`),
  outdir: "dist/code",
  external: ["koffi", "./daemon.cjs"],
  define: { "import.meta.dirname": "__dirname" },
  // As Node wraps a module: what runs the code hands these in.
  banner: { js: "(function (exports, require, module, __filename, __dirname) {" },
  footer: { js: "})" },
  legalComments: "linked",
  // Names stay as they are: nothing is gained without them once there is a code cache, and a crash can be read.
  minifySyntax: true,
  minifyWhitespace: true,
  // Code that V8 was handed as a script cannot import, but require.
  supported: { "dynamic-import": false },
});
await Promise.all(
  programs.map((name) => {
    const hash = createHash("sha256")
      .update(readFileSync(`dist/code/${name}.cjs`))
      .digest("hex");
    return build({
      ...common,
      entryPoints: { [name]: `build/src/bin/start-${name}.js` },
      outdir: "dist",
      define: {
        "import.meta.dirname": "__dirname",
        "process.env.NAUGHT_BUILD": JSON.stringify(hash.slice(0, 12)),
      },
      minify: true,
    });
  }),
);
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
