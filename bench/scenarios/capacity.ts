/** How much load is half a load: what a bare cluster takes on this machine, measured once for a run. */
import { flood } from "../client/flood.js";
import { cluster } from "../contenders/cluster.js";
import { withService } from "../contenders/company.js";
import type { App } from "../contenders/contender.js";

/** Requests a second at saturation, on kept connections. */
export async function findCapacity(app: App, env: Readonly<Record<string, string>>): Promise<number> {
  return withService(cluster("none"), app, env, async (_service, { host, port }) => {
    const order = { host, port, connections: 32, fresh: false, warmMs: 500, ms: 2_000 };
    const { ok, seconds } = await flood(order);
    if (ok === 0) throw new Error("a bare cluster served nothing");
    return ok / seconds;
  });
}
