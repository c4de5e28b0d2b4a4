/** Where commands print: the process's own stdout and stderr. */

export interface Terminal {
  /** Prints one or more lines on stdout. */
  out(text: string): void;
  /** Prints one or more lines on stderr. */
  err(text: string): void;
}

/** A reader that goes away (`naught help | head -1`, a terminal that is closed) is nobody's error: the command goes on. */
export function openTerminal(): Terminal & { flush(): Promise<void> } {
  const streams = [process.stdout, process.stderr] as const;
  for (const stream of streams) stream.on("error", () => {});
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    // An empty write is called back once all that was written before it has been handed to the system.
    flush: async () => {
      await Promise.all(
        streams.map((stream) => new Promise<void>((resolve) => stream.write("", () => resolve()))),
      );
    },
  };
}
