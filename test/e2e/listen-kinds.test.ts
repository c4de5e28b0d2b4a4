/** Everything that a server can listen on: the application sees what Node itself would show it, and every worker is reached. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { rmSync, statSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { get as getHttps } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { askOnce, askUntil } from "../support/answerers.js";
import { e2e, type Naught } from "../support/naught.js";
import { server } from "../support/servers.js";

interface Result {
  readonly listening?: boolean;
  readonly address?: AddressInfo | string;
}

type Results = Readonly<Record<string, Result>>;

const balances = ["slots", "shared", "round-robin"] as const;

for (const balance of balances) {
  test(
    `${balance}: whatever a server listens on, it sees what it would see without naught, and both workers serve`,
    e2e(async (naught) => {
      const busy = createServer().listen(0);
      naught.defer(() => busy.close());
      await once(busy, "listening");
      const env = { BUSY: String((busy.address() as AddressInfo).port) };
      const alone = runAlone(naught, "listen-kinds.cjs", env);
      await naught.succeed(
        ["start", "--balance", balance, "--worker-count", "2", server("listen-kinds.cjs")],
        { env },
      );
      const [first, second] = [readResults(naught, "0"), readResults(naught, "1")];
      for (const [name, result] of Object.entries(first)) {
        if (["exclusive", "cluster"].includes(name)) continue;
        // node:cluster itself takes an abstract name for a path.
        if (balance === "round-robin" && name === "abstract") continue;
        assert.deepEqual(anyPort(result), anyPort(alone[name]), name);
        assert.deepEqual(second[name], result, `${name}: the workers differ`);
      }
      assert.deepEqual(first.cluster, { isWorker: true, state: "listening", connected: true });
      assert.notDeepEqual(first.exclusive, second.exclusive);
      assert.equal(statSync(naught.path("everybodys-n")).mode & 0o666, 0o666);
      await assertServed(naught, first, second);
      await assertResumed(portOf(first.https), naught.host);
      if (balance !== "round-robin") await assertWithheld(naught, env, first, second);
      await naught.succeed(["deploy"]);
      await assertServed(naught, readResults(naught, "0"), readResults(naught, "1"));
      await naught.succeed(["stop"]);
    }),
  );
}

for (const count of [1, 2]) {
  test(
    `${count} worker(s) that close and listen in every order see what they would see without naught`,
    e2e(async (naught) => {
      const env = { WORKERS: String(count) };
      const alone = runAlone(naught, "listen-steps.cjs", env);
      await naught.succeed(["start", "--worker-count", String(count), server("listen-steps.cjs")], { env });
      for (let slot = 0; slot < count; slot += 1) assert.deepEqual(readResults(naught, String(slot)), alone);
      // At rest, too.
      await naught.succeed(["deploy"]);
      assert.deepEqual(readResults(naught, "0"), alone);
      await naught.succeed(["stop"]);
    }),
  );
}

/** Workers that are not online yet see that they listen, and nobody reaches them; nor are they missed afterwards. */
async function assertWithheld(
  naught: Naught,
  env: Record<string, string>,
  first: Results,
  second: Results,
): Promise<void> {
  const old = naught.workers();
  const deploy = naught.spawn(["deploy"], { env: { ...env, HANGS: "1" } });
  for (const slot of ["hanging-0", "hanging-1"]) {
    await naught.wrote(`results-${slot}.json`, /\}$/);
    const { exclusive: _, ...seen } = readResults(naught, slot);
    for (const [name, result] of Object.entries(seen)) assert.deepEqual(result, first[name], name);
  }
  await assertServed(naught, first, second, old);
  await naught.succeed(["deploy-abort"]);
  await deploy.finished;
  await assertServed(naught, first, second, old);
}

async function assertServed(
  naught: Naught,
  first: Results,
  second: Results,
  workers = naught.workers(),
): Promise<void> {
  const pids = workers.map(({ pid }) => pid);
  const raw = ["ipv4", "ipv6", "any", "anyAgain", "noArguments", "hostName", "ipv6Only", "backlog"];
  for (const name of [...raw, "path", "absolutePath", "abstract", "everybodys"]) {
    if (!first[name]?.listening) continue;
    await askUntil(() => askOnce(target(naught, first[name])), pids);
  }
  for (const [each, pid] of [
    [first, pids[0]],
    [second, pids[1]],
  ] as const)
    assert.equal(Number(await askOnce(target(naught, each.exclusive))), pid);
  const head = `GET / HTTP/1.0\r\n\r\n`;
  const body = (answer: string) => answer.slice(answer.lastIndexOf("\n") + 1);
  await askUntil(async () => body(await askOnce(target(naught, first.http), head)), pids);
  await askUntil(() => askHttps(portOf(first.https), naught.host), pids);
  await askUntil(() => askHttp2(portOf(first.http2), naught.host), pids);
  // Which of those who read from one socket gets a datagram is the kernel's choice.
  assert.ok(pids.includes(Number(await askUdp(portOf(first.udp), naught.host))));
}

function runAlone(naught: Naught, name: string, env: Readonly<Record<string, string>> = {}): Results {
  execFileSync(process.execPath, [server(name)], { cwd: naught.dir, env: { ...naught.env, ...env } });
  // It exits without closing its servers.
  for (const name of ["path", "absolute", "everybodys"]) rmSync(naught.path(`${name}-a`), { force: true });
  return readResults(naught, "alone");
}

function readResults(naught: Naught, slot: string): Results {
  const text = naught.read(`results-${slot}.json`);
  return JSON.parse(
    slot === "alone" ? text.replaceAll(/(?<=path|absolute|abstract|everybodys)-a"/g, '-n"') : text,
  );
}

function anyPort(result: Result | undefined): unknown {
  if (typeof result?.address !== "object" || !result.listening) return result;
  return { ...result, address: { ...result.address, port: "some" } };
}

function portOf(result: Result | undefined): number {
  return typeof result?.address === "object" ? result.address.port : 0;
}

function target({ host, dir }: Naught, result: Result | undefined) {
  if (typeof result?.address === "string") {
    const isPlain = !/^[\0/]/.test(result.address);
    return { path: isPlain ? `${dir}/${result.address}` : result.address };
  }
  const { address = "", port = 0 } = result?.address ?? {};
  return { host: address === "::" ? "::1" : address || host, port };
}

function askHttps(port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host, port, rejectUnauthorized: false, agent: false } as const;
    getHttps(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

/** A TLS session that one worker began is resumed by all of them. */
async function assertResumed(port: number, host: string): Promise<void> {
  const to = { host, port, rejectUnauthorized: false } as const;
  const first = connectTls(to);
  const [session] = (await once(first, "session")) as [Buffer];
  first.destroy();
  for (let count = 0; count < 20; count += 1) {
    const socket = connectTls({ ...to, session });
    await once(socket, "secureConnect");
    assert.ok(socket.isSessionReused(), "a worker did not know the session");
    socket.destroy();
  }
}

async function askHttp2(port: number, host: string): Promise<string> {
  const session = connectHttp2(`http://${host}:${port}`);
  let text = "";
  for await (const chunk of session.request({ ":path": "/" }).setEncoding("utf8")) text += chunk;
  session.close();
  return text;
}

async function askUdp(port: number, host: string): Promise<string> {
  const socket = createSocket("udp4");
  socket.connect(port, host);
  await once(socket, "connect");
  socket.send("who?");
  const [message] = (await once(socket, "message")) as [Buffer];
  socket.close();
  return message.toString();
}
