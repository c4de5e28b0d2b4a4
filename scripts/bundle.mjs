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

// The parser of options opens stdin, stdout and stderr when it is loaded, and loads all that these need, in case that it
// should print: here it never does.
const quietParser = {
  name: "quiet parser",
  setup({ onLoad }) {
    onLoad({ filter: /clipanion\/lib\/advanced\/Cli\.m?js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const contents = text.replace(
        /stdin: process\.stdin,\s+stdout: process\.stdout,\s+stderr: process\.stderr,\s+colorDepth: [\w.]+\(\)/,
        "colorDepth: 1",
      );
      if (contents === text) throw new Error(`${path} has changed: its streams are not where they were`);
      return { contents };
    });
    onLoad({ filter: /clipanion\/lib\/platform\/node\.m?js$/ }, ({ path }) => ({
      contents: readFileSync(path.replace(/node(\.m?js)$/, "browser$1"), "utf8"),
    }));
  },
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
  plugins: [quietParser],
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
// What a worker loads only when daemon and master are both gone: no worker is to carry it for that.
await build({
  ...common,
  entryPoints: ["build/src/bin/revive.js"],
  outdir: "dist",
  define: { "import.meta.dirname": "__dirname" },
  minifySyntax: true,
  minifyWhitespace: true,
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
