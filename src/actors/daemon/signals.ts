/** What the daemon's process does on signals: a service manager's way to stop and deploy. */

/** Returns a function that takes the handlers off again. */
export function onSignals({
  stop,
  deploy,
  reopen,
}: {
  stop: () => void;
  deploy: () => void;
  reopen: () => void;
}): () => void {
  const handlers = [
    ["SIGTERM", stop],
    ["SIGINT", stop],
    ["SIGHUP", deploy],
    ["SIGUSR2", reopen],
  ] as const;
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}
