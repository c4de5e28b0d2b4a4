/** The reading end of a worker's output: a FIFO that has a path, or the socket that Node makes, which comes as a handle. */
import { closeSync, constants, fstatSync, openSync, readlinkSync } from "node:fs";
import { Socket, type SocketConstructorOpts } from "node:net";
import type { Handle } from "../../protocol/contract.js";
import type { Output } from "../../protocol/types.js";

/** An open FIFO. */
export interface OpenFifo {
  readonly fd: number;
  /** The same for everybody who has this FIFO open. */
  readonly identity: string;
}

/** Where to read to, instead of the stream's own buffers; the callback returns false to read no more for now. */
interface Onread {
  readonly buffer: Uint8Array;
  readonly callback: (length: number) => boolean;
}

const { O_RDONLY, O_RDWR, O_NONBLOCK } = constants;

/** Where to open the FIFO that a worker prints into, if naught has made it. */
export function findOwnFifo(pid: number, stream: Output["stream"]): string | undefined {
  const path = findWriter(pid, stream);
  try {
    // Its number may be another process's by now, whose pipes are nothing to us.
    return /\/naught-\w+\/\d+( \(deleted\))?$/.test(readlinkSync(path)) ? path : undefined;
  } catch {
    return undefined;
  }
}

function findWriter(pid: number, stream: Output["stream"]): string {
  return `/proc/${pid}/fd/${stream === "stdout" ? 1 : 2}`;
}

/** Throws what Node says. */
export function openFifo({ path = "", worker, stream }: Output): OpenFifo {
  const [fd, own] = openEither(path, findWriter(worker.pid, stream));
  try {
    const { dev, ino } = fstatSync(fd);
    return { fd, identity: `${dev}:${ino}` };
  } finally {
    closeSync(own);
  }
}

/** The master that made the FIFO may be dead by now, and the worker alive. */
function openEither(path: string, other: string): readonly [number, number] {
  try {
    return openToRead(path);
  } catch (error) {
    try {
      return openToRead(other);
    } catch {
      throw error;
    }
  }
}

/** Linux reports no end to a reader that came after the last writer: there is one more while this one comes. */
function openToRead(path: string): readonly [number, number] {
  const own = openSync(path, O_RDWR | O_NONBLOCK);
  try {
    if (!fstatSync(own).isFIFO()) throw new Error(`${path} is not a FIFO`);
    return [openSync(path, O_RDONLY | O_NONBLOCK), own];
  } catch (error) {
    closeSync(own);
    throw error;
  }
}

/** A socket that reads only. Node's types don't know that one can be made of a handle, as its own child processes are. */
export function readFrom(source: number | Handle, onread?: Onread): Socket {
  const from = typeof source === "number" ? { fd: source } : { handle: source };
  const options = { ...from, readable: true, writable: false, ...(onread ? { onread } : {}) };
  return new Socket(options as SocketConstructorOpts);
}

/** Not everywhere is there a /proc, and not everybody may look into a process there that has privileges of its own. */
export function canOpenThroughProc(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/fd/0`);
    return true;
  } catch {
    return false;
  }
}
