/** The one place in the master that reaches into Node: takes the reading end of a child's pipe away from it, unread. */
import type { Readable } from "node:stream";
import type { Handle } from "../../protocol/contract.js";

interface PipeHandle {
  readStop(): number;
  readStart(): number;
}

/**
 * Must be called in the tick of the fork: a byte that Node has read here cannot be handed on.
 * `release` closes this process's copy.
 */
export function takePipe(stream: Readable): { handle: Handle; release: () => void } {
  const { _handle: handle } = stream as unknown as { _handle?: PipeHandle };
  if (!handle) throw new Error("Node keeps a child's pipe elsewhere than expected (stream._handle)");
  handle.readStop();
  // Node resumes the pipes of a child that has exited, and would swallow what the daemon has yet to read.
  handle.readStart = () => 0;
  return { handle, release: () => void stream.destroy() };
}
