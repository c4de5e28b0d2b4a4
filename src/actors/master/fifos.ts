/**
 * FIFOs for the workers to print into. Owns the spare ones. A FIFO that is open for reading and writing at the worker's
 * end gives no EPIPE, whoever else dies, keeps what is in it, and can be opened by any daemon that comes later.
 */
import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface Fifo {
  /** Open for reading and writing: the worker's end, to be closed here as soon as the worker has it. */
  readonly writer: number;
  /** Keeps what is in the FIFO while nobody else reads it. */
  readonly reader: number;
  /** By which the daemon opens it. */
  readonly path: string;
  /** Forgets the FIFO once it has been read to its end. */
  release(): void;
}

export interface Fifos {
  /** Makes what is missing to so many spare ones, with one program for all of them. */
  reserve(count: number): void;
  take(): Fifo | undefined;
  /** Why there are none. */
  readonly obstacle: string | undefined;
  close(): void;
}

export interface FifoOptions {
  /** The daemon can open what this process has open, through /proc: then no name is left to be cleaned up. */
  readonly procfs: boolean;
  /** Where to make them if not among the temporary files. */
  readonly directory: string;
}

interface Spare {
  readonly fd: number;
  readonly path: string;
}

const BATCH = 8;
const MOST_SPARE = 256;
const { O_RDWR, O_RDONLY, O_NONBLOCK } = constants;

export function createFifos({ procfs, directory }: FifoOptions): Fifos {
  const spares: Spare[] = [];
  let obstacle: string | undefined;

  function reserve(count: number): void {
    const missing = Math.min(count, MOST_SPARE) - spares.length;
    if (missing <= 0) return;
    obstacle = undefined;
    for (const place of new Set([tmpdir(), directory])) {
      try {
        return void spares.push(...make(place, missing));
      } catch (error) {
        obstacle ??= error instanceof Error ? error.message : String(error);
      }
    }
  }

  function make(place: string, count: number): Spare[] {
    const folder = mkdtempSync(join(place, "naught-"));
    const opened: Spare[] = [];
    try {
      const paths = Array.from({ length: count }, (_, index) => join(folder, String(index)));
      runMkfifo(paths);
      for (const path of paths) opened.push({ fd: openSync(path, O_RDWR | O_NONBLOCK), path });
      if (procfs) rmSync(folder, { recursive: true, force: true });
      return opened;
    } catch (error) {
      for (const { fd } of opened) closeSync(fd);
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  function take(): Fifo | undefined {
    // Where they could not be made they are tried again at the next deploy only.
    if (spares.length === 0 && obstacle === undefined) reserve(BATCH);
    const spare = spares.shift();
    if (spare === undefined) return undefined;
    try {
      const reader = openSync(procfs ? `/proc/self/fd/${spare.fd}` : spare.path, O_RDONLY | O_NONBLOCK);
      return {
        writer: spare.fd,
        reader,
        path: procfs ? `/proc/${process.pid}/fd/${reader}` : spare.path,
        release() {
          closeSync(reader);
          if (!procfs) removeName(spare.path);
        },
      };
    } catch (error) {
      obstacle = error instanceof Error ? error.message : String(error);
      discard(spare);
      return undefined;
    }
  }

  function discard({ fd, path }: Spare): void {
    closeSync(fd);
    if (!procfs) removeName(path);
  }

  return {
    reserve,
    take,
    get obstacle() {
      return obstacle;
    },
    close() {
      for (const spare of spares.splice(0)) discard(spare);
    },
  };
}

/** The program is the only way: Node itself makes no FIFO. This process has no PATH of its own. */
function runMkfifo(paths: readonly string[]): void {
  const { status, error, stderr } = spawnSync("mkfifo", ["-m", "600", ...paths], {
    env: { PATH: "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin" },
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
    timeout: 10_000,
  });
  if (error) throw new Error(`mkfifo could not be run: ${(error as NodeJS.ErrnoException).code}`);
  const [complaint = ""] = stderr.split("\n");
  if (status !== 0) throw new Error(complaint === "" ? `mkfifo ended with ${status}` : complaint);
}

/** And that of the folder, when it was the last in it. */
function removeName(path: string): void {
  rmSync(path, { force: true });
  try {
    rmdirSync(dirname(path));
  } catch {
    // Others are in it still.
  }
}
