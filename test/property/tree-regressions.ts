/** Histories in which a server once broke a promise, cut down to what matters; each named by the promise. */
import type { Deed, Move, Scenario } from "./tree-adversary.js";

function make(changes: Partial<Scenario>): Scenario {
  return {
    workerCount: 2,
    moves: [],
    latencies: [0],
    mutes: [false],
    boots: [0],
    farewells: [0],
    isKilling: false,
    ...changes,
  };
}

const after = (wait: number, deed: Deed): Move => ({ wait, deed });
const kill = (fuse: number | null, ...victims: Extract<Deed, { type: "kill" }>["victims"]): Deed => ({
  type: "kill",
  victims,
  which: 0,
  fuse,
});
const deploy: Deed = { type: "deploy", quality: "good", workerCount: 0 };
const stop: Deed = { type: "stop", timeout: null };

export const regressions: Readonly<Record<string, Scenario>> = {
  "a worker that was forked as its master died, and of which nobody has told, is sent away": make({
    moves: [after(0, kill(2, "daemon", "master")), after(0, deploy), after(3, deploy)],
    mutes: [true],
  }),
  "also by a daemon that comes later, and whose master has given its number again": make({
    moves: [after(0, kill(2, "daemon", "master")), after(0, deploy), after(3, kill(null, "daemon"))],
  }),
  "a stop in the middle of which everybody dies leaves no worker that was forked a moment before": make({
    moves: [
      after(0, { type: "decimate", which: 0, supervisors: false }),
      after(0, kill(3, "daemon", "master")),
      after(0, stop),
      after(0, kill(null, "daemon", "master")),
    ],
  }),
  "of two daemons that workers bring back at once, one goes on, also when the first is killed": make({
    moves: [
      after(0, kill(null, "master", "daemon")),
      after(402, deploy),
      after(201, kill(0, "daemon", "worker")),
      after(3, { type: "status" }),
    ],
    latencies: [12, 0],
    mutes: [true],
  }),
  "a release that took over as daemon and master died serves until there are others": make({
    workerCount: 1,
    moves: [
      after(0, deploy),
      after(20, kill(null, "daemon")),
      after(3, kill(null, "master")),
      after(0, kill(0, "master")),
    ],
    boots: [3],
  }),
  "a stop is shortened by a later one, whatever the clock was set to in between": make({
    moves: [
      after(0, { type: "stop", timeout: 1 }),
      after(0, { type: "setClock", by: -1 }),
      after(0, { type: "stop", timeout: 1 }),
    ],
    mutes: [true],
    farewells: [500],
  }),
  "of two deploys that are asked for at once, the one that came later serves": make({
    workerCount: 1,
    moves: [
      after(3, deploy),
      after(0, deploy),
      after(20, kill(0, "daemon", "worker")),
      after(0, { type: "deploy", quality: "hangs", workerCount: 0 }),
    ],
    latencies: [0, 0, 133, 0, 4, 1],
    boots: [16],
    farewells: [0],
  }),
  "the end of a worker is told once, whoever follows a daemon that dies in a deploy": make({
    workerCount: 2,
    moves: [
      after(253, kill(3, "master")),
      after(0, { type: "deploy", quality: "slow", workerCount: 2 }),
      after(8, kill(0, "daemon")),
      after(7, { type: "hold", victims: ["master", "daemon"], which: 0, how: "stopped", ms: 295 }),
      after(294, { type: "freeze", ms: 0, skews: [0] }),
    ],
    latencies: [0],
    boots: [6],
    farewells: [181],
  }),
  "the last worker that accepts stays when the daemon that had let it take over died before it told so": make(
    {
      workerCount: 1,
      moves: [
        after(53, deploy),
        after(200, kill(0, "daemon")),
        after(0, kill(null, "master")),
        after(624, kill(1, "master")),
        after(16, kill(0, "master", "daemon")),
      ],
      latencies: [0, 0, 16],
      boots: [150, 0, 181, 0],
      farewells: [0],
    },
  ),
  "a nap of the machine that nobody notices does not put off that a stopped daemon is given up": make({
    workerCount: 3,
    moves: [
      after(0, { type: "hold", victims: ["daemon"], which: 0, how: "stopped", ms: 1754 }),
      after(253, { type: "sleep", ms: 1 }),
      after(1484, { type: "setClock", by: 0 }),
      after(15, { type: "decimate", which: 0, supervisors: false }),
    ],
  }),
  "a daemon that a worker wants to bring back makes way for the one that a master brings back": make({
    moves: [
      after(0, kill(null, "daemon", "master")),
      after(687, kill(null, "daemon")),
      after(360, kill(null, "daemon")),
      after(0, kill(0, "daemon", "master")),
    ],
    latencies: [16, 0, 3, 0, 0],
    mutes: [true],
    boots: [0, 0, 131],
    farewells: [59],
  }),
  "a worker that has not heard that it was to go serves when everybody for whom it went is dead": make({
    workerCount: 1,
    moves: [
      after(0, kill(null, "daemon", "master")),
      after(67, { type: "deploy", quality: "good", workerCount: 1 }),
      after(539, { type: "decimate", which: 0, supervisors: true }),
    ],
    boots: [0, 198],
  }),
  "a daemon whose master was stopped makes way for one that has brought up another": make({
    workerCount: 1,
    moves: [
      after(0, kill(null, "master")),
      after(6, kill(0, "daemon")),
      after(0, { type: "hold", victims: ["master"], which: 0, how: "stopped", ms: 609 }),
      after(804, { type: "deploy", quality: "slow", workerCount: 1 }),
      after(4, kill(null, "daemon")),
    ],
    latencies: [0, 3],
    boots: [3],
    farewells: [0, 0, 175, 0],
  }),
  "a deploy that was told as done outlives the daemon that told so, and its master": make({
    moves: [
      after(543, { type: "deploy", quality: "slow", workerCount: 0 }),
      after(3460, kill(17, "master", "daemon")),
      after(91, { type: "hold", victims: ["daemon"], which: 0, how: "stopped", ms: 416 }),
      after(485, { type: "deploy", quality: "bad", workerCount: 0 }),
      after(430, kill(0, "master", "worker")),
    ],
    latencies: [0, 0, 550, 1, 1],
    boots: [106, 0, 149, 106],
    farewells: [229],
  }),
};
