/** A real systemd for one test, in namespaces of its own, with README's units in it. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { installNaught } from "./installed.js";
import type { Naught } from "./naught.js";
import { markName } from "./processes.js";
import { describe, type Finished, launch } from "./running.js";
import { root } from "./servers.js";
import { until } from "./wait.js";

export interface Systemd {
  /** Runs a command inside. */
  run(...command: readonly string[]): Promise<Finished>;
  /** `systemctl` for what has to succeed. */
  ctl(...args: readonly string[]): Promise<string>;
  /** A property of the service. */
  show(property: string): Promise<string>;
  /** Resolves when a property of the service is as wanted. */
  became(property: string, wanted: string | RegExp, ms?: number): Promise<string>;
  /** What the service has logged so far. */
  journal(): Promise<string>;
}

export interface UnitOptions {
  /** Of README's service: what is to be replaced. */
  readonly changes?: readonly (readonly [string | RegExp, string])[];
  /** What comes on top of README's service. */
  readonly service?: readonly string[];
  /** With README's socket unit. */
  readonly socket?: boolean;
  /** With koffi beside naught. */
  readonly koffi?: boolean;
}

/** Why no systemd can be had here. */
export function findObstacle(): string | false {
  if (!existsSync("/usr/lib/systemd/systemd")) return "there is no systemd on this machine";
  if (process.getuid?.() !== 0) return "only root can boot a systemd in namespaces of its own";
  const args = ["--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--propagation", "private"];
  const { status, stderr } = spawnSync("unshare", [...args, "mount", "-t", "tmpfs", "tmpfs", "/run"]);
  return status !== 0 && `no namespaces can be had here: ${String(stderr).trim()}`;
}

let booted = 0;

/** Boots it with README's service `web` for the server of the test's directory srv/web, which does not run yet. */
export async function bootSystemd(naught: Naught, options: UnitOptions = {}): Promise<Systemd> {
  booted += 1;
  const folder = naught.path("systemd");
  const env = {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    SD: folder,
    CG: `naught-test-${process.pid}-${booted}`,
    NODE: process.execPath,
  };
  // Neither marked nor inside the test's directory: it ends only when the test's processes have been counted.
  const script = (...args: readonly string[]) =>
    launch(join(import.meta.dirname, "../../../test/support/systemd.sh"), args, {
      cwd: "/",
      env,
      timeout: 60_000,
    }).finished;
  // Under /srv, because the unit hides /tmp and /home from the service.
  installNaught(naught.path("systemd/srv/naught"), { koffi: options.koffi ?? false });
  cpSync(join(root, "test/servers"), naught.path("systemd/srv/servers"), { recursive: true });
  // A test may write another one.
  naught.write("systemd/srv/web/server.js", 'require("/srv/servers/http.cjs");\n');
  naught.defer(() => script("stop"));
  const run = (...command: readonly string[]) => script("sh", ...command);
  const ctl = async (...args: readonly string[]) => {
    const end = await run("systemctl", ...args);
    if (end.code === 0) return end.stdout.trim();
    const { stdout } = await run("journalctl", "--no-pager", "-n", "60");
    throw new Error(`systemctl ${args.join(" ")}: exit ${end.code}, ${describe(end)}\n${stdout}`);
  };
  const show = (property: string) => ctl("show", "--value", "--property", property, "web.service");
  const started = await script("start");
  if (started.code !== 0) throw new Error(`systemd could not be booted: ${describe(started)}`);
  writeUnits(naught, options);
  await ctl("daemon-reload");
  return {
    run,
    ctl,
    show,
    became: (property, wanted, ms = 20_000) =>
      until(
        `${property} to be ${wanted}`,
        async () => {
          const value = await show(property);
          return (wanted instanceof RegExp ? wanted.test(value) : value === wanted) && value;
        },
        ms,
      ),
    journal: async () => (await run("journalctl", "--no-pager", "-o", "cat", "-u", "web.service")).stdout,
  };
}

function writeUnits(naught: Naught, { changes = [], service = [], socket = false }: UnitOptions): void {
  const replace = (text: string, pairs: readonly (readonly [string | RegExp, string])[]): string =>
    pairs.reduce((sofar, [from, to]) => {
      const next = sofar.replace(from, to);
      if (next === sofar) throw new Error(`README's unit has no ${from}`);
      return next;
    }, text);
  const unit = replace(readUnit("web.service"), [
    [/\/usr\/local\/bin\/naught/g, "/srv/node /srv/naught/naught.cjs"],
    ["User=web", "User=nobody"],
    ["--worker-count auto", "--worker-count 2"],
    ...(socket ? ([["[Unit]", "[Unit]\nRequires=web.socket"]] as const) : []),
    ...changes,
  ]);
  naught.write("systemd/units/web.service", unit);
  const mark = naught.env[markName] ?? "";
  const env = [`HOST=${naught.host}`, `PORT=${naught.port}`, `${markName}=${mark}`];
  const added = [...env.map((each) => `Environment=${each}`), ...service];
  naught.write("systemd/units/web.service.d/test.conf", `[Service]\n${added.join("\n")}\n`);
  if (!socket) return;
  const address = `ListenStream=${naught.host}:${naught.port}`;
  naught.write("systemd/units/web.socket", replace(readUnit("web.socket"), [["ListenStream=80", address]]));
}

/** A unit as README has it. */
function readUnit(name: string): string {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const found = new RegExp(`\`\`\`ini\n(# /etc/systemd/system/${name}\n[^\`]*)\`\`\``).exec(readme);
  if (!found?.[1]) throw new Error(`README has no unit ${name}`);
  return found[1];
}
