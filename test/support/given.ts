/** A naught that is given sockets: by a small program as anybody would write it, or by systemd's own. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { type Naught, program } from "./naught.js";
import { launch, type Running } from "./running.js";

/** A socket, and how far it has got. Port 0 is any; the others that ask for port 0, too, get the same. */
export interface Given {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  /** It listens unless it is said. */
  readonly state?: "connected" | "datagram" | "file";
}

// Node would accept from sockets that it opens. They become 3, 4 and so on; the port of the first is told in `given-port`.
const giver = `
import json, os, socket, sys
port = 0
for number, given in enumerate(json.loads(sys.argv[1]), 3):
    state = given.get("state")
    if state == "file":
        os.dup2(os.open("/dev/null", os.O_RDONLY), number, True)
        continue
    if state == "connected":
        pair = socket.socketpair()
        os.dup2(os.dup(pair[0].detach()), number, True)
        pair[1].detach()
        continue
    host = given.get("host", "")
    family = socket.AF_UNIX if "path" in given else socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM if state == "datagram" else socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.bind(given["path"] if "path" in given else (host, given["port"] or port))
    if "path" not in given:
        port = port or made.getsockname()[1]
    if state is None:
        made.listen(128)
    if made.fileno() == number:
        os.set_inheritable(number, True)
        made.detach()
    else:
        os.dup2(made.fileno(), number, True)
os.environ["GIVEN_PORT"] = str(port)
open("given-port", "w").write(str(port))
if os.environ.get("LISTEN_PID") == "own":
    os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
`;

export interface Giving {
  readonly env?: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

/** `naught start` with these sockets as 3, 4 and so on. LISTEN_PID may be `own`. */
export function startGiven(naught: Naught, given: readonly Given[], { env, args }: Giving): Running {
  const command = ["-c", giver, JSON.stringify(given), process.execPath, program, "start", ...args];
  const options = { cwd: naught.dir, env: { ...naught.env, ...env }, timeout: 80_000 };
  return launch("python3", command, options);
}

/** `naught start` in the foreground, by systemd's program, at the first connection to one of its sockets. */
export function activate(naught: Naught, sockets: readonly string[], { env, args }: Giving): Running {
  const variables = { ...naught.env, ...env };
  const settings = Object.keys(variables).map((name) => `--setenv=${name}`);
  const command = [...sockets, ...settings, process.execPath, program, "start", "--daemon-mode", "false"];
  const options = { cwd: naught.dir, env: variables, timeout: 80_000 };
  return launch("systemd-socket-activate", [...command, ...args], options);
}

/** It says why in one line, and nothing was begun. */
export async function assertRefused(naught: Naught, running: Running, line: string | RegExp): Promise<void> {
  const { code, stdout, stderr } = await running.finished;
  assert.notEqual(code, 0);
  assert.equal(stdout, "");
  if (typeof line === "string") assert.equal(stderr, `${line}\n`);
  else assert.match(stderr.replace(/\n$/, ""), line);
  assert.equal(existsSync(naught.path("naught.ipc")), false);
  assert.equal(existsSync(naught.path("naught.pid")), false);
  assert.deepEqual(naught.processes(), []);
}
