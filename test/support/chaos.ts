/**
 * Chaos: a seeded sequence of deaths, stops and commands under constant load, and after each step the question whether
 * the server is whole again in time, and whether anybody was hurt who was not in a killed worker's hands.
 */
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "../../src/client/client.js";
import type { Status } from "../../src/protocol/types.js";
import { startLoad } from "./load.js";
import type { FailureDetail, Report } from "./load-report.js";
import type { Naught } from "./naught.js";
import { kill } from "./processes.js";
import { openRandom, type Random } from "./random.js";
import { server } from "./servers.js";
import { awaitStatus, isSettled } from "./survival.js";

export interface Chaos {
  readonly seed: number;
  readonly workers: number;
  /** No step begins after so many milliseconds. */
  readonly ms: number;
  readonly say?: (line: string) => void;
}

export interface Outcome {
  readonly steps: number;
  /** Milliseconds from each step to rest. */
  readonly times: readonly number[];
  readonly report: Report;
  readonly unexplained: readonly FailureDetail[];
}

interface Span {
  readonly from: number;
  readonly to: number;
}

interface Stage {
  readonly naught: Naught;
  readonly random: Random;
  readonly status: Status;
  /** When a worker was killed by us, in milliseconds since the epoch. */
  readonly kills: number[];
  /** When we asked for an abort, and had the answer. */
  readonly aborts: Span[];
  /** The processes that were killed by us in this step: later on others may have their numbers. */
  readonly dead: Set<number>;
}

/** How long a worker's death may take to be felt by the clients that it was serving. */
const wake = 3_000;
const patience = 90_000;

const good = server("http.cjs");

const deeds: Readonly<Record<string, (stage: Stage) => Promise<unknown>>> = {
  "kill a worker": async ({ status, random, kills, dead }) => {
    kills.push(Date.now());
    murder(random.pick(status.workers).pid, dead);
  },
  "kill the master": async ({ status, dead }) => murder(status.master?.pid, dead),
  "kill the daemon": async ({ status, dead }) => murder(status.daemon?.pid, dead),
  "kill daemon and master": async ({ status, random, dead }) => {
    murder(status.daemon?.pid, dead);
    await delay(random.pick([0, 0, 20, 100, 300]));
    murder(status.master?.pid, dead);
  },
  "stop the master": async ({ status, naught }) => stop(naught, status.master?.pid ?? 0),
  "stop the daemon": async ({ status, naught }) => stop(naught, status.daemon?.pid ?? 0),
  "stop the master for a moment": ({ status, random }) => pause([status.master?.pid ?? 0], random),
  "stop the daemon for a moment": ({ status, random }) => pause([status.daemon?.pid ?? 0], random),
  "stop a worker for a moment": ({ status, random }) => pause([random.pick(status.workers).pid], random),
  "stop everybody for a moment": ({ naught, random }) =>
    pause(
      naught.processes().map(({ pid }) => pid),
      random,
    ),
  deploy: ({ naught }) => naught.run(["deploy", "--script", good], long),
  "deploy what throws": ({ naught }) => naught.run(["deploy", "--script", server("throws.cjs")], long),
  "deploy what hangs": ({ naught }) =>
    naught.run(["deploy", "--timeout", "1", "--script", server("never-online.cjs")], long),
  "abort a deploy": async ({ naught, random, aborts }) => {
    const deploy = naught.spawn(["deploy", "--script", server("never-online.cjs")], long);
    await delay(random.pick([100, 500, 1_000]));
    // There is nothing to abort if it has not begun, or its daemon has just died.
    while ((await Promise.race([deploy.finished, delay(200)])) === undefined) {
      const from = Date.now();
      await naught.run(["deploy-abort"], long);
      aborts.push({ from, to: Date.now() });
    }
  },
  "ask for the status": ({ naught }) =>
    Promise.all(Array.from({ length: 3 }, () => naught.run(["status"], long))),
  "leave in the middle of a deploy": async ({ naught }) => {
    const client = await connect(naught.path("naught.ipc"));
    client.deploy({ script: good }).catch(() => {});
    await delay(50);
    client.close();
  },
};

const long = { timeout: 120_000 };

export async function runChaos(
  naught: Naught,
  { seed, workers, ms, say = () => {} }: Chaos,
): Promise<Outcome> {
  const random = openRandom(seed);
  const start = [
    "start",
    "--worker-count",
    String(workers),
    "--drain-grace",
    "2",
    "--drain-timeout",
    "5",
    good,
  ];
  await naught.succeed(start, long);
  const load = await startLoad(naught, { keepAlive: 4, fresh: 3, slow: 2, slowMs: 500, timeoutMs: 20_000 });
  const kills: number[] = [];
  const aborts: Span[] = [];
  const watch = await watchDestruction(naught);
  const dead = new Set<number>();
  const times: number[] = [];
  const names = Object.keys(deeds);
  const began = performance.now();
  while (performance.now() - began < ms) {
    const status = await awaitStatus(naught, "rest", (now) => isSettled(now, workers), patience);
    const chosen = [random.pick(names), ...random.pick([[], [], [random.pick(names)]])];
    const line = chosen.join(" and ");
    dead.clear();
    const step = performance.now();
    await Promise.all(
      chosen.map(async (name, at) => {
        await delay(at * random.pick([0, 50, 200]));
        await deeds[name]?.({ naught, random, status, kills, aborts, dead });
      }),
    );
    const settled = (now: Status): boolean =>
      isSettled(now, workers) &&
      ![now.daemon, now.master, ...now.workers].some((each) => each && dead.has(each.pid));
    await awaitStatus(naught, `rest after "${line}" (seed ${seed}, step ${times.length})`, settled, patience);
    times.push(performance.now() - step);
    say(
      `${new Date().toISOString().slice(11, 23)}  ${String(Math.round(times.at(-1) ?? 0)).padStart(6)} ms  ${line}`,
    );
  }
  const report = await load.stop();
  const destroyed = await watch.close();
  kills.push(...destroyed.filter((at) => aborts.some(({ from, to }) => at >= from - 50 && at <= to + 50)));
  await naught.succeed(["stop"], long);
  return {
    steps: times.length,
    times,
    report,
    unexplained: report.details.filter((each) => !isExplained(each, kills)),
  };
}

/**
 * When old workers were killed, in milliseconds since the epoch. An abort does that to those of any deploy that is under
 * way, also to what another deed of the same step has just deployed.
 */
async function watchDestruction(naught: Naught): Promise<{ close(): Promise<number[]> }> {
  const client = await connect(naught.path("naught.ipc"), { attempts: 100 });
  naught.defer(() => client.close());
  const times: number[] = [];
  const read = async () => {
    for await (const event of client.events())
      if (event.name === "DestroyOld") times.push(Date.parse(event.time));
  };
  const done = read();
  await client.watch();
  return {
    close: async () => {
      client.close();
      await done;
      return times;
    },
  };
}

/** Nobody may be refused or kept waiting; what a killed worker had in hand is cut. */
function isExplained({ kind, failedAt }: FailureDetail, kills: readonly number[]): boolean {
  if (kind !== "resetFresh" && kind !== "resetReused" && kind !== "truncated") return false;
  return kills.some((at) => failedAt >= at - 50 && failedAt <= at + wake);
}

function murder(pid: number | undefined, dead: Set<number>): void {
  if (pid === undefined) return;
  dead.add(pid);
  kill(pid);
}

/** Until somebody kills it for that, or a while has passed. */
async function stop(naught: Naught, pid: number): Promise<void> {
  kill(pid, "SIGSTOP");
  naught.defer(() => kill(pid, "SIGCONT"));
  await delay(4_000);
  kill(pid, "SIGCONT");
}

async function pause(pids: readonly number[], random: Random): Promise<void> {
  for (const pid of pids) kill(pid, "SIGSTOP");
  await delay(random.pick([50, 300, 1_000]));
  for (const pid of pids) kill(pid, "SIGCONT");
}
