/** An ssh server for one test, on the test's own address, and the client's way in. */
import { spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { type Naught, program as naughtProgram } from "./naught.js";
import { markName } from "./processes.js";
import { launch, type Running } from "./running.js";

const program = "/usr/sbin/sshd";
const port = 18_022;

export interface Ssh {
  /** Runs a shell command in the test's directory, over there. */
  run(command: string, ...options: readonly string[]): Running;
  /** `user@host:port` */
  readonly destination: string;
  /** Where it listens. */
  readonly address: { readonly host: string; readonly port: number };
  /** What a naught here is given to find its way there: an `ssh` with this test's key, and where naught is. */
  readonly env: Readonly<Record<string, string>>;
  /** The same with another key, which the server restricts as the line in its authorized_keys says. */
  addKey(name: string, restriction: string): Readonly<Record<string, string>>;
}

/** Why there can be no ssh here. */
export function findObstacle(): string | false {
  return !existsSync(program) && "there is no sshd on this machine";
}

export async function startSshd(naught: Naught): Promise<Ssh> {
  const path = (name: string) => naught.path("ssh", name);
  mkdirSync(path("."), { mode: 0o700 });
  for (const name of ["host", "user"]) makeKey(path(name));
  const { username, uid } = userInfo();
  // Without it root's sshd does not start.
  if (uid === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const { host } = naught;
  const names = ["HOST", "PORT", "PATH", markName];
  const config = naught.write(
    "ssh/sshd_config",
    [
      `ListenAddress ${host}`,
      `Port ${port}`,
      `HostKey ${path("host")}`,
      "PidFile none",
      `AuthorizedKeysFile ${path("authorized_keys")}`,
      "StrictModes no",
      "UsePAM no",
      "PasswordAuthentication no",
      "PermitRootLogin prohibit-password",
      `SetEnv ${names.map((name) => `${name}=${naught.env[name]}`).join(" ")}`,
    ].join("\n"),
  );
  copyFileSync(path("user.pub"), path("authorized_keys"));
  const known = readFileSync(path("host.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  naught.write("ssh/known_hosts", `[${host}]:${port},test-host ${known}\n`);
  // Neither marked nor inside the test's directory: it ends only when the test's processes have been counted.
  const place = { cwd: "/", env: { PATH: process.env.PATH ?? "/usr/bin:/bin" }, timeout: 90_000 };
  const sshd = launch(program, ["-D", "-e", "-f", config], place);
  naught.defer(async () => {
    sshd.signal("SIGTERM");
    await sshd.finished;
  });
  await sshd.said("stderr", "Server listening");
  const options = [
    ...["-F", "none", "-p", String(port), "-i", path("user")],
    ...["-o", `UserKnownHostsFile=${path("known_hosts")}`, "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"],
  ];
  const makeEnv = (key: string): Record<string, string> => {
    const client = naught.write(
      `ssh/config-${key}`,
      [
        ...[`IdentityFile ${path(key)}`, "IdentitiesOnly yes", "IdentityAgent none"],
        // Known under a name, so that it is the same host through a gateway.
        ...[`UserKnownHostsFile ${path("known_hosts")}`, "HostKeyAlias test-host"],
      ].join("\n"),
    );
    const shim = naught.write(`ssh/bin-${key}/ssh`, `#!/bin/sh\nexec /usr/bin/ssh -F ${client} "$@"\n`);
    chmodSync(shim, 0o755);
    return {
      PATH: `${dirname(shim)}:${naught.env.PATH}`,
      NAUGHT_REMOTE_COMMAND: `${process.execPath} ${naughtProgram}`,
    };
  };
  return {
    destination: `${username}@${host}:${port}`,
    address: { host, port },
    env: makeEnv("user"),
    addKey(name, restriction) {
      makeKey(path(name));
      appendFileSync(path("authorized_keys"), `${restriction} ${readFileSync(path(`${name}.pub`), "utf8")}`);
      return makeEnv(name);
    },
    run: (command, ...more) =>
      launch("ssh", [...options, ...more, `${username}@${host}`, `cd ${naught.dir} && ${command}`], place),
  };
}

function makeKey(file: string): void {
  const made = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
  if (made.status !== 0) throw new Error(`ssh-keygen: ${made.stderr}`);
}
