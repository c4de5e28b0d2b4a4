/** How a daemon comes to be: started by a command, or as the heir of one that has died. */
import { nanoid } from "nanoid";
import { NaughtError } from "../../protocol/errors.js";
import { Host, Master } from "../../protocol/master.js";
import { connect } from "../../protocol/peer.js";
import type { Transport } from "../../protocol/transport.js";
import type { Identity } from "../remains.js";
import { runDaemon } from "./actor.js";
import { inheritOnce } from "./heir.js";
import type { HostHandlers } from "./host.js";

/** Serves the one who started this daemon on `transport`, and everybody else on the ipc file. `ended` is called once. */
export function serveDaemon(transport: Transport, ended: (exitCode: number) => void): void {
  runDaemon({ run: nanoid(), token: nanoid() }, ended).serve(transport);
}

/** Goes on where a daemon has ended that a master, at the other end of `transport`, has lost. */
export function serveHeir(transport: Transport, ended: (exitCode: number) => void): void {
  let host: HostHandlers | undefined;
  const peer = connect(
    transport,
    Host,
    {
      ...passOn(() => host),
      ...inheritOnce(async (estate) => {
        const identity = JSON.parse(estate.parts.identity ?? "{}") as Partial<Identity>;
        const { token = nanoid() } = identity;
        // Of events since the state file was written nobody knows any more.
        const run = (estate.master > 0 && identity.run) || nanoid();
        host = await runDaemon({ run, token }, ended).inherit(estate, peer);
      }),
    },
    Master,
  );
  // Whoever wanted an heir is gone, too.
  peer.onClose(() => host ?? ended(noHeritage));
}

/** The exit code of an heir that has not come to inherit. */
const noHeritage = 17;

function passOn(host: () => HostHandlers | undefined): HostHandlers {
  const handlers = Object.keys(Host.methods).map((name) => [
    name,
    (...args: readonly unknown[]) => {
      const handler = host()?.[name as keyof HostHandlers] as
        | ((...args: readonly unknown[]) => unknown)
        | undefined;
      if (!handler) throw new NaughtError("NotStarted");
      return handler(...args);
    },
  ]);
  return Object.fromEntries(handlers) as HostHandlers;
}
