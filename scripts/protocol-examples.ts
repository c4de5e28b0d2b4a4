/** The examples of protocol.md: what a real daemon said, with everything that differs from run to run made the same. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import {
  type Exchange,
  frame,
  type Message,
  openStage,
  type Stage,
  talkOverChannel,
  talkOverSocket,
} from "./protocol-stage.js";

/** `calls` by method, `errors` by the name of the error. */
interface Album {
  readonly calls: Map<string, readonly Message[]>;
  readonly errors: Map<string, readonly (Message | string)[]>;
}

/** Returns the generated parts by name. `dist` has the programs. */
export async function captureExamples(dist: string): Promise<Record<string, string>> {
  const album: Album = { calls: new Map(), errors: new Map() };
  const stage = openStage(dist);
  try {
    await refuseStarts(stage, album);
    await liveWhole(stage, album);
    await bootForever(stage, album);
    return { "call-examples": print(album.calls, stage), "error-examples": print(album.errors, stage) };
  } finally {
    stage.close();
  }
}

async function liveWhole(stage: Stage, { calls, errors }: Album): Promise<void> {
  const daemon = stage.spawnDaemon();
  const parent = talkOverChannel(daemon);
  keep(errors, "NotStarted", await parent.ask("daemon/status"));
  keep(calls, "daemon/start", await parent.ask("daemon/start", stage.startParams("server.js")));
  const client = await talkOverSocket(stage.path("naught.ipc"));
  keep(calls, "daemon/hello", await client.ask("daemon/hello"));
  keep(calls, "daemon/status", await client.ask("daemon/status"));
  keep(calls, "daemon/logs", await client.ask("daemon/logs", { log: "naught", lines: 1 }));
  keep(errors, "UnknownCursor", await client.ask("daemon/logs", { log: "naught", cursor: "0" }));
  keep(calls, "daemon/reopenLogs", await client.ask("daemon/reopenLogs"));
  keep(calls, "daemon/watch", await client.ask("daemon/watch", { since: 0 }));
  keep(errors, "NotAllowed", await client.ask("daemon/start", stage.startParams("server.js")));
  keep(errors, "NoDeployInProgress", await client.ask("daemon/abortDeploy"));
  keep(errors, "UnknownDeploy", await client.ask("daemon/attachDeploy", { deploy: "release-0" }));
  keep(errors, "ScriptNotFound", await client.ask("daemon/deploy", { script: stage.path("gone.js") }));
  keep(errors, "DirectoryNotFound", await client.ask("daemon/deploy", { cwd: stage.path("gone") }));
  keep(errors, "BadLaunch", await client.ask("daemon/deploy", { args: ["\u0000"] }));
  keep(errors, "MethodNotFound", await client.ask("daemon/selfDestruct"));
  keep(errors, "InvalidParams", await client.ask("daemon/deploy", { workerCount: -1, args: ["a", 1] }));
  await tellBadMessages(stage, errors);
  await holdTooMuch(stage, errors);
  const event = client.hear("watcher/event");
  keep(calls, "daemon/deploy", await client.ask("daemon/deploy", { id: "release-2" }));
  calls.set("watcher/event", [await event]);
  keep(calls, "daemon/attachDeploy", await client.ask("daemon/attachDeploy", { deploy: "release-2" }));
  const waiting = client.hear("watcher/waiting");
  const stuck = client.ask("daemon/deploy", { id: "release-3", script: stage.path("never-online.js") });
  calls.set("watcher/waiting", [await waiting]);
  keep(errors, "DeployInProgress", await client.ask("daemon/deploy", { id: "release-4" }));
  keep(calls, "daemon/abortDeploy", await client.ask("daemon/abortDeploy"));
  await stuck;
  await client.ask("daemon/deploy", { id: "release-5", script: stage.path("stubborn.js") });
  await endSlowly(stage, { calls, errors });
  await gone(daemon);
}

async function endSlowly(stage: Stage, { calls, errors }: Album): Promise<void> {
  const [first, second] = [
    await talkOverSocket(stage.path("naught.ipc")),
    await talkOverSocket(stage.path("naught.ipc")),
  ];
  const event = first.hear("watcher/event");
  const stopped = first.ask("daemon/stop", {});
  await event;
  keep(errors, "ShuttingDown", await second.ask("daemon/deploy", { id: "release-6" }));
  const notice = second.hear("watcher/notice");
  const forced = second.ask("daemon/stop", { timeout: 0.1 });
  calls.set("watcher/notice", [await notice]);
  keep(calls, "daemon/stop", await forced);
  await stopped;
}

function findMaster(stage: Stage): number {
  const daemon = readFileSync(stage.path("naught.pid"), "utf8").trim();
  return Number(readFileSync(`/proc/${daemon}/task/${daemon}/children`, "utf8").trim().split(" ")[0]);
}

async function tellBadMessages(stage: Stage, errors: Album["errors"]): Promise<void> {
  const client = await talkOverSocket(stage.path("naught.ipc"));
  for (const [name, text] of [
    ["ParseError", "{bad"],
    ["InvalidRequest", '{"id":1,"method":"daemon/hello"}'],
  ] as const) {
    const refused = client.hearAnswer(name === "ParseError" ? null : 1);
    client.send(frame(text));
    errors.set(name, [text, await refused]);
  }
  const refused = client.hearAnswer(null);
  client.send("GET / HTTP/1.1\r\n\r\n");
  errors.set("InvalidRequest (not framed)", ["GET / HTTP/1.1", await refused]);
}

/** Messages that are begun and not completed, until the daemon holds as much as it may. */
async function holdTooMuch(stage: Stage, errors: Album["errors"]): Promise<void> {
  const clients = await Promise.all(
    Array.from({ length: 6 }, () => talkOverSocket(stage.path("naught.ipc"))),
  );
  const refused = Promise.any(clients.map((client) => client.hearAnswer(null)));
  const part = "x".repeat(3 * 2 ** 20);
  for (const client of clients) client.send(`Content-Length: ${4 * 2 ** 20}\r\n\r\n${part}`);
  errors.set("Busy", [
    "Content-Length: 4194304 (and only a part of that, on six connections)",
    await refused,
  ]);
  for (const client of clients) client.close();
}

async function bootForever(stage: Stage, { errors }: Album): Promise<void> {
  const daemon = stage.spawnDaemon();
  const parent = talkOverChannel(daemon);
  const event = parent.hear("watcher/event");
  const start = parent.ask("daemon/start", stage.startParams("never-online.js"));
  await event;
  const client = await talkOverSocket(stage.path("naught.ipc"));
  keep(errors, "StillBooting", await client.ask("daemon/deploy", { id: "release-2" }));
  const rival = talkOverChannel(stage.spawnDaemon());
  keep(errors, "AlreadyRunning", await rival.ask("daemon/start", stage.startParams("server.js")));
  process.kill(findMaster(stage), "SIGKILL");
  keep(errors, "MasterLost", await start);
  await gone(daemon);
}

async function refuseStarts(stage: Stage, { errors }: Album): Promise<void> {
  const refuse = async (name: string, changes: object): Promise<void> => {
    const params = { ...stage.startParams("server.js"), ...changes };
    keep(errors, name, await talkOverChannel(stage.spawnDaemon()).ask("daemon/start", params));
  };
  writeFileSync(stage.path("notes.txt"), "");
  await refuse("IpcNotSocket", { ipcFile: stage.path("notes.txt") });
  await refuse("CannotWrite", { pidFile: stage.dir });
  const listen = `require("net").createServer().listen(${JSON.stringify(stage.path("stale.ipc"))}, () => console.log())`;
  const dying = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "ignore"] });
  await once(dying.stdout, "data");
  dying.kill("SIGKILL");
  await gone(dying);
  await refuse("StaleIpc", { ipcFile: stage.path("stale.ipc") });
}

function keep(
  into: Map<string, readonly (Message | string)[]>,
  name: string,
  { request, answer }: Exchange,
): void {
  const refused = answer.error !== undefined;
  const shouldBe = !name.includes("/");
  if (refused !== shouldBe) throw new Error(`${name}: ${JSON.stringify(answer)}`);
  into.set(name, [request, answer]);
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

function print(examples: ReadonlyMap<string, readonly (Message | string)[]>, stage: Stage): string {
  const sorted = [...examples].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted
    .map(
      ([name, messages]) =>
        `**${name}**\n\n\`\`\`json\n${messages.map((each) => same(each, stage)).join("\n")}\n\`\`\``,
    )
    .join("\n\n");
}

const stable: Readonly<Record<string, unknown>> = {
  pid: 4242,
  seconds: 1.5,
  uptime: 1.5,
  time: "2026-01-31T12:00:00.000Z",
  since: "2026-01-31T12:00:00.000Z",
  version: "2.0.0",
  versions: { naught: "2.0.0", protocol: 1, node: "v20.19.0" },
  sequence: 7,
  hostId: "0f8b1c2d3e4f5a6b7c8d9e0f1a2b3c4d",
  run: "V1StGXR8_Z5jdHi6B-myT",
  // It has the number of the file in its file system.
  cursor: "-:279:1835012",
  usage: { memory: 52428800, cpu: 0.4, age: 2.5 },
};

/** What differs from run to run is replaced; ids of requests count from 1 in each example. */
function same(message: Message | string, { dir }: Stage): string {
  if (typeof message === "string") return message;
  const replace = (key: string, value: unknown): unknown => {
    // A client's own number stays.
    if (key === "since" && typeof value === "number") return value;
    if (key === "master" && typeof value === "number") return 4243;
    return Object.hasOwn(stable, key) ? stable[key] : value;
  };
  const numbered = typeof message.id === "number" ? { ...message, id: 1 } : message;
  return JSON.stringify(numbered, replace).replaceAll(dir, "/srv/app");
}
