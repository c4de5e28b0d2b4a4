/** naught, this one and the original: their command lines are the same as far as it matters here. */
import { listChildren } from "../setting/proc.js";
import type { Command, Stage } from "../setting/stage.js";
import type { App, Contender, Name, Service, Supervisor } from "./contender.js";
import { replaceAll } from "./replace.js";

/** `daemon` and `master`: how their processes are known by their command line. */
interface Programs {
  readonly node?: string;
  readonly program: string;
  readonly daemon: RegExp;
  readonly master: RegExp;
  /** What it takes to keep all archives, where that is not so anyhow. */
  readonly keepArchives?: readonly string[];
}

export function naught(program: string, node?: string): Contender {
  return describe("naught", {
    program,
    daemon: /^naught daemon|\/daemon\.cjs$/,
    master: /^naught master|\/master\.cjs$/,
    keepArchives: ["--max-log-files", "none"],
    ...(node && { node }),
  });
}

export function original(program: string): Contender {
  return describe("naught 1.x", { program, daemon: /\/start_daemon\.js /, master: /\/lib\/master\.js / });
}

function describe(name: Name, programs: Programs): Contender {
  return { name, start: (stage, app) => start(stage, app, programs) };
}

async function start(stage: Stage, app: App, programs: Programs): Promise<Service> {
  const command = (...args: string[]): Command => ({
    file: programs.node ?? process.execPath,
    args: [programs.program, ...args],
  });
  const { ms } = await stage.run(command("start", ...listOptions(app, programs), app.script));
  const supervisors = (["daemon", "master"] as const).map((role): Supervisor => {
    const found = stage.processes().find((each) => programs[role].test(each.command));
    if (found === undefined) throw new Error(`no ${role} of ${programs.program} is to be found`);
    return { role, pid: found.pid };
  });
  const master = supervisors[1]?.pid ?? 0;
  const workers = () => listChildren(master);
  return {
    startMs: ms,
    deploy: () => replaceAll(workers, async () => (await stage.run(command("deploy"))).ms),
    status: command("status"),
    supervisors,
    workers,
  };
}

function listOptions(app: App, { keepArchives = [] }: Programs): string[] {
  return [
    ...["--worker-count", String(app.workers)],
    ...(app.stdout === undefined ? [] : ["--stdout", app.stdout]),
    ...(app.maxLogSize === undefined ? [] : ["--max-log-size", String(app.maxLogSize), ...keepArchives]),
    ...(app.options ?? []),
  ];
}
