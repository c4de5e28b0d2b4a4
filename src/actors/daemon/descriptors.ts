/** Open files by their bare numbers, which unlike a FileHandle can be worked with in both ways: at once, and later. */
import * as fs from "node:fs";
import { promisify } from "node:util";

export const open: (path: string, flags: string, mode?: number) => Promise<number> = promisify(fs.open);
export const write = promisify(fs.write);
export const stat: (fd: number) => Promise<fs.Stats> = promisify(fs.fstat);
export const chmod = promisify(fs.fchmod);
export const chown = promisify(fs.fchown);
export const close = promisify(fs.close);
