/** A client that speaks HTTP/2 frame by frame, and so can disregard what the server says. */
import { once } from "node:events";
import type { Dial } from "./draining.js";

export const frameType = { data: 0, headers: 1, settings: 4, ping: 6, goaway: 7, window: 8 } as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export interface FrameClient {
  /** Opens a stream with a GET request. */
  get(stream: number, path?: string): void;
  acknowledge(frame: Frame): void;
  /** Resolves with the next frame of this type that was not asked for before. */
  next(type: number): Promise<Frame>;
  /** Resolves with the bytes of the one answer that is on its way, when it is complete. */
  readAnswer(): Promise<number>;
}

export function speakFrames({ socket }: Dial): FrameClient {
  const frames: Frame[] = [];
  let bytes = Buffer.alloc(0);
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    bytes = Buffer.concat([bytes, Buffer.from(chunk, "latin1")]);
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const end = 9 + bytes.readUIntBE(0, 3);
      frames.push({
        type: bytes[3] ?? 0,
        flags: bytes[4] ?? 0,
        stream: bytes.readUInt32BE(5),
        payload: bytes.subarray(9, end),
      });
      bytes = bytes.subarray(end);
    }
  });
  const send = (type: number, flags: number, stream: number, payload: Buffer) => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(stream, 5);
    socket.write(Buffer.concat([head, payload]));
  };
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  // The largest windows there can be, so that no flow control holds an answer back.
  send(frameType.settings, 0, 0, Buffer.from("00047fffffff", "hex"));
  send(frameType.window, 0, 0, Buffer.from("7fff0000", "hex"));
  const next = async (type: number): Promise<Frame> => {
    for (;;) {
      const index = frames.findIndex((frame) => frame.type === type);
      const [found] = index < 0 ? [] : frames.splice(index, 1);
      if (found !== undefined) return found;
      await once(socket, "data");
    }
  };
  return {
    next,
    // GET, http, an authority, and a path, as HPACK has them. The stream ends with its headers.
    get: (stream, path = "/") =>
      send(
        frameType.headers,
        5,
        stream,
        Buffer.from(`\x82\x86\x41\x01a\x04${String.fromCharCode(path.length)}${path}`, "latin1"),
      ),
    acknowledge: ({ type, payload }) => send(type, 1, 0, type === frameType.ping ? payload : Buffer.alloc(0)),
    readAnswer: async () => {
      for (let size = 0; ; ) {
        const { payload, flags } = await next(frameType.data);
        size += payload.length;
        if ((flags & 1) === 1) return size;
      }
    },
  };
}

/** The last stream that a GOAWAY names. */
export function lastStream({ payload }: Frame): number {
  return payload.readUInt32BE(0);
}
