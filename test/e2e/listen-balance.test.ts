/** How connections are spread, and what happens where Node does not let naught have the sockets. */
import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { e2e, type Naught } from "../support/naught.js";
import { get } from "../support/request.js";
import { launch } from "../support/running.js";
import { root, server } from "../support/servers.js";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const canSharePort = major > 22 || (major === 22 && minor >= 12);

for (const [balance, most] of [
  ["slots", canSharePort ? 1.5 : 8],
  ["shared", 8],
  ["round-robin", 3],
] as const) {
  test(
    `${balance}: the busiest of 8 workers has at most ${most} times the mean of 200 keep-alive connections, in the median of 9 draws`,
    e2e(async (naught) => {
      await naught.succeed([
        "start",
        "--balance",
        balance,
        "--worker-count",
        "8",
        server("listen-counts.cjs"),
      ]);
      // With slots a hash decides. Of 200 connections that are spread at random the busiest of 8 gets more than 1.5 times
      // the mean in about 4 of 100 draws, and so in the median of 9 draws about twice in 100,000.
      const draws = [];
      for (let draw = 0; draw < 9; draw += 1) draws.push(await drawBusiest(naught));
      const [median = 0] = draws.toSorted((a, b) => a - b).slice(4);
      if (process.env.SHOW) console.log(`${balance}: ${median} (${draws.join(" ")})`);
      assert.ok(median <= most, `${draws.join(", ")} times the mean`);
      await naught.succeed(["stop"]);
    }),
  );
}

test(
  "where Node has changed, the sockets are node:cluster's, and the log says so once",
  e2e(async (naught) => {
    for (const [program, name] of [
      ["daemon.cjs", "_createServerHandle"],
      ["worker.cjs", "_getServer"],
    ] as const) {
      const run = await startWithout(naught, program, name);
      assert.equal(run.code, 0, run.stderr);
      await get(naught);
      await naught.succeed(["deploy"]);
      await get(naught);
      await naught.succeed(["stop"]);
      const told = naught.read("naught.log").match(/does not let naught keep the listening sockets/g);
      assert.equal(told?.length, program === "daemon.cjs" ? 1 : 2);
    }
  }),
);

/** The connections of the busiest worker, in means. */
async function drawBusiest({ host, port }: Naught): Promise<number> {
  const connections = 200;
  const sockets: Socket[] = [];
  const counts = new Map<string, number>();
  const ask = async (): Promise<void> => {
    const socket = connect({ host, port });
    sockets.push(socket);
    const pid = await new Promise<string>((resolve, reject) => {
      socket.setEncoding("utf8").once("data", resolve).once("error", reject);
    });
    counts.set(pid, (counts.get(pid) ?? 0) + 1);
  };
  await Promise.all(Array.from({ length: connections }, ask));
  for (const socket of sockets) socket.destroy();
  return Math.max(...counts.values()) / (connections / 8);
}

/** Starts a naught whose `program` does not find what it looks for in Node. */
async function startWithout(naught: Naught, program: string, name: string) {
  const folder = naught.path(`without-${name}`);
  cpSync(join(root, "dist"), folder, { recursive: true });
  const path = join(folder, "code", program);
  writeFileSync(path, readFileSync(path, "utf8").replaceAll(`"${name}"`, `"${name}_"`));
  const args = [join(folder, "naught.cjs"), "start", "--worker-count", "2", server("http.cjs")];
  return launch(process.execPath, args, { cwd: naught.dir, env: naught.env }).finished;
}
