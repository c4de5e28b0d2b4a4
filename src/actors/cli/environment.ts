/** Which of the caller's environment variables go where. */

/** For the workers: without what is meant for naught, or for this very process, alone. */
export function cleanEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  return omit(
    environment,
    /^(NAUGHT_.*|NODE_CHANNEL_.*|NODE_UNIQUE_ID|LISTEN_.*|NOTIFY_SOCKET|WATCHDOG_.*)$/s,
  );
}

/** For the daemon: NODE_OPTIONS are meant for the server, and a debugger in the daemon would help nobody. */
export function cleanDaemonEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  return omit(environment, /^(NODE_OPTIONS|NODE_CHANNEL_.*|NODE_UNIQUE_ID)$/s);
}

function omit(environment: NodeJS.ProcessEnv, names: RegExp): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !names.test(name)) kept[name] = value;
  }
  return kept;
}
