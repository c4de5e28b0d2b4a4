/**
 * The revival: a worker that has lost its master and the daemon starts a new daemon, with the sockets that it has and
 * what the last daemon has left in its state file. Not part of the preload: it is loaded when it is needed.
 */
import { readFileSync } from "node:fs";
import type { Handle } from "../../protocol/contract.js";
import { HeirHost } from "../../protocol/heir.js";
import { LifelineGuest } from "../../protocol/lifeline.js";
import { connect } from "../../protocol/peer.js";
import type { Start } from "../../protocol/types.js";
import type { KeptSockets } from "../daemon/sockets.js";
import { type Birth, spawnHeir } from "../heir-process.js";
import { stateFile } from "../state-file.js";

/** A worker's numbers of the sockets that naught was given begin here. */
const firstWorkerFd = 4;

/**
 * Rejects when it is not possible, or another worker was faster, or may do it better: `alsoInPart` is false, and this one
 * has not every socket.
 */
export async function reviveDaemon(
  ipcFile: string,
  sockets: readonly (readonly [key: string, handle: Handle])[],
  alsoInPart: boolean,
): Promise<void> {
  // Only the daemon's own user can read it.
  const parts = JSON.parse(readFileSync(stateFile(ipcFile), "utf8")) as Record<string, string>;
  const birth = JSON.parse(parts.birth ?? "{}") as Partial<Birth>;
  const { start } = JSON.parse(parts.start ?? "{}") as { readonly start?: Start };
  if (!start) throw new Error("the state file is not complete");
  const own = new Set(sockets.map(([key]) => key));
  if (!alsoInPart && listKeys(parts.sockets).some((key) => !own.has(key)))
    throw new Error("not every socket is here");
  const fds = start.listenFds.map((_, index) => firstWorkerFd + index);
  const { child, transport, ended } = spawnHeir({ env: {}, cwd: "/", ...birth }, fds);
  const { client } = connect(transport, LifelineGuest, {}, HeirHost);
  const given = async (): Promise<void> => {
    await Promise.all(sockets.map(([key, handle]) => client.give({ key }, handle)));
    await client.inherit({ parts, events: [], master: 0 });
  };
  const failed = ended.then((how) => Promise.reject(new Error(`the new daemon ${how}`)));
  failed.catch(() => {});
  try {
    await Promise.race([given(), failed]);
  } catch (error) {
    if (child.pid !== undefined) child.kill("SIGKILL");
    throw error;
  } finally {
    transport.close();
    child.unref();
  }
}

/** Of the sockets that naught has bound; those that it was given every worker has. */
function listKeys(text = "{}"): string[] {
  const { entries = [] } = JSON.parse(text) as Partial<KeptSockets>;
  return entries.flatMap(({ query, address }) => (query ? address.queues.map(([, key]) => key) : []));
}
