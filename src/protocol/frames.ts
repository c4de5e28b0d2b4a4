/** JSON-RPC over a stream socket, framed by the base protocol of LSP: a `Content-Length` header, then UTF-8 JSON. */
import type { Socket } from "node:net";
import { ErrorCodes, Message } from "vscode-jsonrpc/node";
import { Reader, type Transport, Writer } from "./transport.js";

/** What one connection may cost, in bytes. */
export const limits = {
  header: 4 * 1024,
  message: 4 * 1024 * 1024,
  /** Output that a client has not read; beyond it the client is dropped. */
  queued: 16 * 1024 * 1024,
} as const;

/** The first framing error is answered, then the connection is closed: after it nobody knows where a message begins. */
export function openFrames(socket: Socket): Transport {
  const reader = new Reader();
  // A client may close its sending half and wait for its answers: the connection ends with the last of them.
  let unanswered = 0;
  let halfClosed = false;
  const writer = new Writer(async (message) => {
    if (socket.destroyed || !socket.writable) throw new Error("the connection is closed");
    socket.write(encodeFrame(message));
    if (socket.writableLength > limits.queued) socket.destroy();
    if (Message.isResponse(message)) unanswered -= 1;
    if (halfClosed && unanswered <= 0) socket.end();
  });
  socket.on("end", () => {
    halfClosed = true;
    if (unanswered <= 0) socket.end();
  });
  const decoder = createDecoder();
  const refuse = (code: number, text: string): void => {
    socket.removeListener("data", onData);
    socket.resume();
    if (socket.writable) {
      socket.end(encodeFrame({ jsonrpc: "2.0", id: null, error: { code, message: text } } as Message));
    }
    reader.close();
  };
  const onData = (chunk: Buffer): void => {
    try {
      for (const message of decoder(chunk)) {
        if (Message.isRequest(message)) unanswered += 1;
        reader.receive(message);
      }
    } catch (error) {
      if (error instanceof FrameError) refuse(error.code, error.message);
      else throw error;
    }
  };
  socket.on("data", onData);
  socket.on("error", () => {});
  socket.on("close", () => reader.close());
  return { reader, writer, close: () => void socket.end() };
}

class FrameError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export function encodeFrame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message), "utf8");
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`, "latin1"), body]);
}

/** Returns a function that takes the next chunk and yields the messages that are complete; throws a FrameError. */
function createDecoder(): (chunk: Buffer) => Generator<Message> {
  let chunks: Buffer[] = [];
  let size = 0;
  let length: number | undefined;
  return function* decode(chunk) {
    chunks.push(chunk);
    size += chunk.length;
    while (size > 0) {
      // Joined only when a header has to be searched for or a body is complete, so that a body in many chunks is copied once.
      if (length !== undefined && size < length) return;
      let buffer = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size);
      if (length === undefined) {
        const end = buffer.subarray(0, limits.header).indexOf("\r\n\r\n");
        if (end < 0 && size >= limits.header)
          throw new FrameError(ErrorCodes.InvalidRequest, `a header is at most ${limits.header} bytes long`);
        if (end < 0) {
          checkHeaderStart(buffer);
          chunks = [buffer];
          return;
        }
        length = parseHeader(buffer.toString("latin1", 0, end));
        buffer = buffer.subarray(end + 4);
      }
      if (buffer.length >= length) {
        const body = buffer.subarray(0, length);
        buffer = buffer.subarray(length);
        length = undefined;
        chunks = buffer.length > 0 ? [buffer] : [];
        size = buffer.length;
        yield parseMessage(body);
      } else {
        chunks = [buffer];
        size = buffer.length;
      }
    }
  };
}

const headerName = /^[A-Za-z-]*(:|$)/;

// HTTP or TLS on the wrong socket is told at once instead of being waited for until its header is too long.
function checkHeaderStart(buffer: Buffer): void {
  if (!headerName.test(buffer.toString("latin1", 0, 64))) throw badHeader();
}

function parseHeader(text: string): number {
  let length: number | undefined;
  for (const line of text.split("\r\n")) {
    const [, name, value] = /^([A-Za-z-]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw badHeader();
    if (name.toLowerCase() !== "content-length") continue;
    if (length !== undefined || !/^\d{1,15}$/.test(value)) throw badHeader();
    length = Number(value);
  }
  if (length === undefined) throw badHeader();
  if (length > limits.message) {
    throw new FrameError(
      ErrorCodes.InvalidRequest,
      `a message is at most ${limits.message} bytes long, this one would be ${length}`,
    );
  }
  return length;
}

function badHeader(): FrameError {
  return new FrameError(
    ErrorCodes.InvalidRequest,
    "expected the header 'Content-Length: <bytes>', an empty line, then that many bytes of JSON",
  );
}

function parseMessage(body: Buffer): Message {
  let message: unknown;
  try {
    message = JSON.parse(body.toString("utf8"));
  } catch {
    throw new FrameError(ErrorCodes.ParseError, "the message is not JSON");
  }
  if (typeof message !== "object" || message === null || Array.isArray(message)) {
    throw new FrameError(
      ErrorCodes.InvalidRequest,
      "a message is one JSON object; batches are not supported yet",
    );
  }
  if ((message as Partial<Message>).jsonrpc !== "2.0") {
    throw new FrameError(ErrorCodes.InvalidRequest, 'a message has "jsonrpc": "2.0"');
  }
  return message as Message;
}
