/** Where commands print: the process's own stdout and stderr. */

export interface Terminal {
  /** Prints one or more lines on stdout. */
  out(text: string): void;
  /** Prints one or more lines on stderr. */
  err(text: string): void;
}

/**
 * A reader that goes away (`naught help | head -1`, a terminal that is closed) is nobody's error: the command goes on.
 * A stream is opened when it is first written to, because Node takes a millisecond for each.
 */
export function openTerminal(): Terminal & { flush(): Promise<void> } {
  const opened = new Set<NodeJS.WriteStream>();
  const print = (stream: NodeJS.WriteStream, text: string): void => {
    if (!opened.has(stream)) stream.on("error", () => {});
    opened.add(stream);
    stream.write(`${text}\n`);
  };
  return {
    out: (text) => print(process.stdout, text),
    err: (text) => print(process.stderr, text),
    // An empty write is called back once all that was written before it has been handed to the system.
    flush: async () => {
      await Promise.all(
        [...opened].map((stream) => new Promise<void>((resolve) => stream.write("", () => resolve()))),
      );
    },
  };
}
