/** Lines on their way to naught's own log: those that can wait are gathered for a moment, the others take them along. */

export interface GatheredLines {
  /** `patient`: a line that may wait. The first of many does not. */
  write(line: string, patient?: boolean): void;
  flush(): void;
}

/** Milliseconds. */
const longestWait = 10;

export function gatherLines(write: (lines: string) => void): GatheredLines {
  let waiting = "";
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting !== "") write(waiting);
    waiting = "";
  };
  return {
    flush,
    write(line, patient = false) {
      waiting += `${line}\n`;
      if (patient && timer) return;
      flush();
      if (patient) timer = setTimeout(flush, longestWait).unref();
    },
  };
}
