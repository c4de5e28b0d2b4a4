/** The protocol: what a question to the daemon costs, and how many notifications the whole chain carries. */

import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { join } from "node:path";
import { Daemon } from "../../src/protocol/daemon.js";
import { openFrames } from "../../src/protocol/frames.js";
import { connect, type Peer } from "../../src/protocol/peer.js";
import type { Status } from "../../src/protocol/types.js";
import { Watcher } from "../../src/protocol/watcher.js";
import { program } from "../../test/support/naught.js";
import { bootBare } from "../contenders/bare.js";
import { servers } from "../contenders/cluster.js";
import { withService } from "../contenders/company.js";
import { naught } from "../contenders/naught.js";
import type { Plan, Section } from "../report/section.js";
import { openBook, type Table } from "../report/table.js";
import { openStage } from "../setting/stage.js";

export async function protocol(plan: Plan): Promise<Section> {
  return {
    name: "protocol",
    title: "Protocol",
    notes: [
      "Round trips: one `status` after the other on one connection, which naught's daemon answers from what its master has told it, against a bare server that answers newline-framed JSON of the same content.",
      "Notifications: four processes with nothing in them but naught's contracts and transports. A worker's `unlisten` becomes the master's `event` and then the daemon's, which a watcher gets on a unix socket: three hops, each validated on arrival.",
    ],
    tables: [await measureRoundTrips(plan), await measureChain(plan)],
  };
}

async function measureRoundTrips(plan: Plan): Promise<Table> {
  const floor = "newline JSON echo";
  const book = openBook("protocol-status", "Round trips", [
    { key: "trip", label: "one after the other", unit: "µs", floor },
    { key: "rate", label: "50 in flight", unit: "requests/s", floor },
  ]);
  const count = plan.quick ? 1_000 : 5_000;
  const app = { script: join(servers, "app.cjs"), workers: 2 };
  await withService(naught(program), app, {}, async (_service, stage) => {
    const socket = await dial(stage.path("naught.ipc"));
    const peer = connect(openFrames(socket), Watcher, deaf, Daemon);
    const status: Status = await peer.client.status({});
    const { child } = await bootBare(stage, join(servers, "echo.cjs"), [
      stage.path("echo"),
      JSON.stringify(status),
    ]);
    const echo = await dial(stage.path("echo"));
    const askEcho = openEcho(echo);
    for (const _ of plan.rounds(7, 40)) {
      for (const [name, ask] of [
        ["naught", () => peer.client.status({})],
        [floor, askEcho],
      ] as const) {
        book.add(name, "trip", 1e6 / (await measureRate(ask, count, 1)));
        book.add(name, "rate", await measureRate(ask, count * 2, 50));
      }
    }
    peer.close();
    echo.destroy();
    child.kill();
  });
  return book.table;
}

/** Answers come in the order of the questions. */
function openEcho(socket: Socket): () => Promise<unknown> {
  const waiting: ((result: unknown) => void)[] = [];
  let text = "";
  let id = 0;
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n")) {
      waiting.shift()?.(JSON.parse(text.slice(0, at)));
      text = text.slice(at + 1);
    }
  });
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      id += 1;
      socket.write(`${JSON.stringify({ jsonrpc: "2.0", id, method: "daemon/status", params: {} })}\n`);
    });
}

async function measureRate(ask: () => Promise<unknown>, count: number, inFlight: number): Promise<number> {
  const began = performance.now();
  let left = count;
  const loop = async () => {
    while (left > 0) {
      left -= 1;
      await ask();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  return (count * 1000) / (performance.now() - began);
}

async function measureChain(plan: Plan): Promise<Table> {
  const book = openBook("protocol-chain", "Notifications", [
    { key: "rate", label: "worker → master → daemon → watcher", unit: "notifications/s" },
  ]);
  const count = plan.quick ? 20_000 : 100_000;
  for (const round of plan.rounds(5, 60)) {
    plan.say(`protocol, notifications, round ${round + 1}`);
    const stage = openStage();
    try {
      const path = stage.path("chain");
      await bootBare(stage, join(import.meta.dirname, "../chain/chain-daemon.js"), [path, String(count)]);
      const socket = await dial(path);
      let peer: Peer<typeof Daemon> | undefined;
      const began = performance.now();
      await new Promise<void>((resolve, reject) => {
        let heard = 0;
        const event = () => {
          heard += 1;
          if (heard === count) resolve();
        };
        peer = connect(openFrames(socket), Watcher, { ...deaf, event }, Daemon);
        peer.client.watch({}).catch(reject);
        setTimeout(() => reject(new Error(`${heard} of ${count} notifications came`)), 60_000).unref();
      });
      book.add("naught", "rate", (count * 1000) / (performance.now() - began));
      peer?.close();
    } finally {
      await stage.close();
    }
  }
  return book.table;
}

const deaf = { event: () => undefined, waiting: () => undefined, notice: () => undefined };

async function dial(path: string): Promise<Socket> {
  const socket = connectSocket(path);
  await once(socket, "connect");
  return socket;
}
