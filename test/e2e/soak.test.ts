/** The soak in short. `npm run soak` does it at length. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertUnhurt } from "../support/load.js";
import { e2e } from "../support/naught.js";
import { leavings, soak } from "../support/soak.js";

const shape = { keepAlive: 4, fresh: 2, slow: 2, slowMs: 1_500, streams: 2, streamMs: 2_000 };

describe("ten deploys under load, with slow answers and streams in flight: no request fails", {
  concurrency: true,
}, () => {
  for (const leaving of leavings) {
    test(
      `the server's way to leave: ${leaving}`,
      e2e(async (naught) => {
        const { report } = await soak(naught, { leaving, deploys: 10, shape });
        assertUnhurt(report);
        assert.equal(Object.keys(report.versions).length, 11);
      }, 180_000),
    );
  }
});
