/** Two one-way streams as one that can be read and written: a process's own stdin and stdout, or those of a child. */
import { Duplex, type Readable, type Writable } from "node:stream";

export class ProcessStream extends Duplex {
  readonly #from: Readable;
  readonly #to: Writable;
  #held = false;

  constructor(from: Readable, to: Writable) {
    super();
    this.#from = from;
    this.#to = to;
    from.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) from.pause();
    });
    from.on("end", () => this.push(null));
    // A pipe whose far end was killed may end without an end.
    from.on("close", () => this.push(null));
    from.on("error", () => this.destroy());
    to.on("error", () => this.destroy());
    to.on("close", () => {
      if (!to.writableFinished) this.destroy();
    });
    from.pause();
  }

  /** Stops reading, also what somebody is waiting for, until `release`. */
  hold(): void {
    this.#held = true;
    this.#from.pause();
  }

  release(): void {
    this.#held = false;
    this.#from.resume();
  }

  override _read(): void {
    if (!this.#held) this.#from.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#to.write(chunk, callback);
  }

  override _final(callback: () => void): void {
    this.#to.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#from.destroy();
    // What has been handed over to its end may still be on the way.
    if (!this.#to.writableEnded) this.#to.destroy();
    callback(error);
  }
}
