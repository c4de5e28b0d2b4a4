/** The command line as a real process, in a directory of its own, with a daemon that the test plays. */
import { cpSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { buildSync } from "esbuild";
import type { Handlers } from "../../src/protocol/contract.js";
import { Daemon } from "../../src/protocol/daemon.js";
import { NaughtError } from "../../src/protocol/errors.js";
import { openFrames } from "../../src/protocol/frames.js";
import { connect } from "../../src/protocol/peer.js";
import type { Counts, EventName, Notice, Waiting } from "../../src/protocol/types.js";
import { Watcher } from "../../src/protocol/watcher.js";
import { type Finished, launch, type Running } from "./running.js";
import { makeTemp } from "./temp.js";

export interface Connection {
  readonly socket: Socket;
  /** Sends an event with the next sequence number. */
  event(name: EventName, counts?: Partial<Counts>): void;
  waiting(waiting: Waiting): void;
  notice(notice: Notice): void;
}

/** What the test's daemon answers; whatever is left out is refused. */
export type Script = (connection: Connection) => Partial<Handlers<typeof Daemon>>;

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface Stage {
  readonly dir: string;
  readonly program: string;
  /** A daemon that listens on a socket of this name, as if it were running. */
  listen(script: Script, name?: string): Promise<Server>;
  /** The daemon that `start` will spawn or load. */
  expectStart(script: Script): Promise<Server>;
  spawn(args: readonly string[], options?: RunOptions): Running;
  run(args: readonly string[], options?: RunOptions): Promise<Finished>;
  close(): void;
}

/** A test with a stage of its own. */
export function staged(name: string, body: (stage: Stage) => Promise<void>): void {
  test(name, { timeout: 30_000 }, async () => {
    const stage = openStage();
    try {
      await body(stage);
    } finally {
      stage.close();
    }
  });
}

/** How a command ended. */
export function end(code: number, stdout: string, stderr: string): Finished {
  return { code, stdout, stderr, signal: null };
}

export const noCounts: Counts = { booting: 0, online: 0, dying: 0, new_online: 0 };

const compiled = resolve(import.meta.dirname, "../..");
const bundles = buildBundles();
const bridge = "bridge.sock";

function openStage(): Stage {
  const temp = makeTemp();
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const listen = async (script: Script, name = "naught.ipc"): Promise<Server> => {
    const server = createServer((socket) => {
      sockets.add(socket);
      serve(socket, script);
    });
    servers.push(server);
    await new Promise<void>((done) => server.listen(join(temp.dir, name), done));
    return server;
  };
  const spawn = (args: readonly string[], options: RunOptions = {}): Running => {
    const env = {
      PATH: process.env.PATH ?? "",
      CLI_TEST_BRIDGE: join(temp.dir, bridge),
      ...options.env,
    };
    return launch(process.execPath, [bundles, ...args], { cwd: options.cwd ?? temp.dir, env });
  };
  return {
    dir: temp.dir,
    program: bundles,
    listen,
    expectStart: (script) => listen(script, bridge),
    spawn,
    run: (args, options) => spawn(args, options).finished,
    close() {
      for (const socket of sockets) socket.destroy();
      for (const server of servers) server.close();
      temp.remove();
    },
  };
}

function serve(socket: Socket, script: Script): void {
  const refused = Object.keys(Daemon.methods).map((name) => [
    name,
    () => Promise.reject(new NaughtError("NotAllowed", `not in this test: ${name}`)),
  ]);
  let sequence = 0;
  const connection: Connection = {
    socket,
    event(name, counts = {}) {
      sequence += 1;
      const time = new Date().toISOString();
      peer.client.event({ sequence, time, name, counts: { ...noCounts, ...counts }, waitingFor: null });
    },
    waiting: (waiting) => peer.client.waiting(waiting),
    notice: (notice) => peer.client.notice(notice),
  };
  const handlers = { ...Object.fromEntries(refused), ...script(connection) } as Handlers<typeof Daemon>;
  const peer = connect(openFrames(socket), Daemon, handlers, Watcher);
}

/** As the package has them, with the stand-in for the daemon beside the program. */
function buildBundles(): string {
  const temp = makeTemp();
  after(() => temp.remove());
  const dist = join(temp.dir, "dist");
  buildSync({
    entryPoints: {
      naught: join(compiled, "src/bin/naught.js"),
      daemon: join(compiled, "test/support/cli-fake-daemon.js"),
    },
    outdir: dist,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    define: { "import.meta.dirname": "__dirname" },
    logLevel: "warning",
  });
  cpSync(resolve(compiled, "../package.json"), join(temp.dir, "package.json"));
  return join(dist, "naught.cjs");
}
