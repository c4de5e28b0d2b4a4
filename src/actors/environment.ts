/** Which environment variables go where. */

type Environment = Readonly<Record<string, string | undefined>>;

/** For the workers: without what belongs to one process and must not be handed on: naught's own, Node's channels, the service manager's. */
export function cleanEnvironment(environment: Environment): Record<string, string> {
  return omit(
    environment,
    /^(NAUGHT_.*|NODE_CHANNEL_.*|NODE_UNIQUE_ID|LISTEN_.*|NOTIFY_SOCKET|WATCHDOG_.*|MAINPID)$/s,
  );
}

/** For the daemon: NODE_OPTIONS are meant for the server, and a debugger in the daemon would help nobody. */
export function cleanDaemonEnvironment(environment: Environment): Record<string, string> {
  return omit(environment, /^(NODE_OPTIONS|NODE_CHANNEL_.*|NODE_UNIQUE_ID)$/s);
}

/** For the master, which hands nothing on; certificates would cost a process that needs none its time. */
export function cleanMasterEnvironment(environment: Environment): Record<string, string> {
  return omit(environment, /^(NODE_OPTIONS|NODE_EXTRA_CA_CERTS)$/);
}

function omit(environment: Environment, names: RegExp): Record<string, string> {
  const kept = Object.entries(environment).filter(
    ([name, value]) => value !== undefined && !names.test(name),
  );
  return Object.fromEntries(kept) as Record<string, string>;
}
