/** Bytes on their way to a file that cannot take them now. Owns the blocks in which they wait, and uses them again. */

export interface Backlog {
  /** How many bytes there are, those that were taken and not released yet included. */
  readonly length: number;
  /** Copies the bytes. */
  add(bytes: Buffer): void;
  /**
   * The oldest that lie together, up to the end of the addition that makes them more than `room`: the caller's until
   * they are released, all of them before the next are taken. Undefined when there are none.
   */
  take(room: number): Buffer | undefined;
  /** So many of what was taken are done with. */
  release(count: number): void;
  /** Drops what is not taken, and says how many bytes that was. */
  clear(): number;
}

interface Block {
  readonly bytes: Buffer;
  /** What is before is released. */
  start: number;
  /** Where each addition ends. */
  readonly ends: number[];
}

const BLOCK_SIZE = 256 * 1024;
/** More than wait at once before whoever writes is asked to pause. */
const MOST_SPARE = 8;

export function createBacklog(): Backlog {
  const blocks: Block[] = [];
  const spare: Buffer[] = [];
  let length = 0;
  /** Of the first block, up to where it is taken. */
  let taken = 0;

  function add(bytes: Buffer): void {
    const last = blocks.at(-1);
    const end = last?.ends.at(-1) ?? 0;
    const block = last && end + bytes.length <= last.bytes.length ? last : begin(bytes.length);
    const at = block === last ? end : 0;
    bytes.copy(block.bytes, at);
    block.ends.push(at + bytes.length);
    length += bytes.length;
  }

  function begin(size: number): Block {
    const used = size <= BLOCK_SIZE ? spare.pop() : undefined;
    const block = { bytes: used ?? Buffer.allocUnsafeSlow(Math.max(size, BLOCK_SIZE)), start: 0, ends: [] };
    blocks.push(block);
    return block;
  }

  function take(room: number): Buffer | undefined {
    const [first] = blocks;
    if (first === undefined) return undefined;
    const { bytes, start, ends } = first;
    taken = ends.find((end) => end - start > room) ?? ends.at(-1) ?? start;
    return bytes.subarray(start, taken);
  }

  function release(count: number): void {
    const [first] = blocks;
    if (first === undefined) return;
    length -= count;
    first.start += count;
    while ((first.ends[0] ?? Number.POSITIVE_INFINITY) <= first.start) first.ends.shift();
    if (first.ends.length === 0) remove(0, 1);
  }

  function clear(): number {
    const before = length;
    const [first] = blocks;
    const isTaken = first !== undefined && first.start < taken;
    remove(isTaken ? 1 : 0, blocks.length);
    while (isTaken && (first.ends.at(-1) ?? 0) > taken) first.ends.pop();
    length = isTaken ? taken - first.start : 0;
    return before - length;
  }

  function remove(from: number, count: number): void {
    if (from === 0) taken = 0;
    for (const { bytes } of blocks.splice(from, count)) {
      if (bytes.length === BLOCK_SIZE && spare.length < MOST_SPARE) spare.push(bytes);
    }
  }

  return {
    get length() {
      return length;
    },
    add,
    take,
    release,
    clear,
  };
}
