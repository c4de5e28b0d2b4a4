/** Deploys of http2 servers: streams in flight are served, and clients that heed GOAWAY lose nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startHttp2Load } from "../support/http2-load.js";
import { e2e } from "../support/naught.js";
import { server } from "../support/servers.js";

for (const kind of ["plain", "secure", "both"]) {
  test(
    `ten deploys of an http2 server (${kind}) under load: no request fails`,
    e2e(async (naught) => {
      const options = { env: { KIND: kind } };
      naught.write("version", "0");
      await naught.succeed(["start", "--worker-count", "2", server("http2.cjs")], options);
      const url = `${kind === "plain" ? "http" : "https"}://${naught.host}:${naught.port}`;
      const steady = startHttp2Load({ url, sessions: 2, loops: 8, slow: 2, pauseMs: 10 });
      const single = startHttp2Load({ url, sessions: 4, loops: 1, slow: 0, pauseMs: 200 });
      for (let round = 1; round <= 10; round += 1) {
        naught.write("version", String(round));
        await naught.succeed(["deploy"], options);
      }
      for (const report of [await steady.stop(), await single.stop()]) {
        assert.deepEqual(report.failures, {}, JSON.stringify(report));
        if (kind === "plain") assert.equal(report.refused, 0, JSON.stringify(report));
        assert.ok(report.ok > 50 && report.versions.length > 5, JSON.stringify(report));
        if (process.env.SHOW) console.log(kind, JSON.stringify(report));
      }
      await naught.succeed(["stop"]);
    }),
  );
}
