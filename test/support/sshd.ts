/** An ssh server for one test, on the test's own address, and the client's way in. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import type { Naught } from "./naught.js";
import { markName } from "./processes.js";
import { launch, type Running } from "./running.js";

const program = "/usr/sbin/sshd";
const port = 18_022;

export interface Ssh {
  /** Runs a shell command in the test's directory, over there. */
  run(command: string, ...options: readonly string[]): Running;
}

/** Why there can be no ssh here. */
export function findObstacle(): string | false {
  return !existsSync(program) && "there is no sshd on this machine";
}

export async function startSshd(naught: Naught): Promise<Ssh> {
  const path = (name: string) => naught.path("ssh", name);
  mkdirSync(path("."), { mode: 0o700 });
  for (const name of ["host", "user"]) {
    const made = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path(name)]);
    if (made.status !== 0) throw new Error(`ssh-keygen: ${made.stderr}`);
  }
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
      `AuthorizedKeysFile ${path("user.pub")}`,
      "StrictModes no",
      "UsePAM no",
      "PasswordAuthentication no",
      "PermitRootLogin prohibit-password",
      `SetEnv ${names.map((name) => `${name}=${naught.env[name]}`).join(" ")}`,
    ].join("\n"),
  );
  const known = readFileSync(path("host.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  naught.write("ssh/known_hosts", `[${host}]:${port} ${known}\n`);
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
  return {
    run: (command, ...more) =>
      launch("ssh", [...options, ...more, `${username}@${host}`, `cd ${naught.dir} && ${command}`], place),
  };
}
