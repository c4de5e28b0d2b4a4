/** A log that remembers what was written to it, and is behind when a test says so. */
import type { Log } from "../../src/actors/daemon/log.js";

export interface MemoryLog extends Log {
  readonly chunks: readonly Buffer[];
  readonly text: string;
  /** Resolves when the text contains this. */
  whenSaid(text: string): Promise<void>;
  setWritable(writable: boolean): void;
}

export function createMemoryLog(onWrite: (log: MemoryLog) => void = () => {}): MemoryLog {
  const chunks: Buffer[] = [];
  const drained: (() => void)[] = [];
  const written: (() => void)[] = [];
  let writable = true;

  const log: MemoryLog = {
    chunks,
    get text() {
      return Buffer.concat(chunks).toString();
    },
    get writable() {
      return writable;
    },
    write: (chunk) => {
      chunks.push(Buffer.from(chunk));
      onWrite(log);
      for (const listener of written.splice(0)) listener();
    },
    whenSaid: async (text) => {
      while (!log.text.includes(text)) await new Promise<void>((resolve) => written.push(resolve));
    },
    setWritable: (value) => {
      writable = value;
      if (writable) for (const listener of drained) listener();
    },
    onDrain: (listener) => void drained.push(listener),
    flush: async () => {},
    reopen: async () => {},
    report: () => undefined,
    close: async () => {},
  };
  return log;
}
