/**
 * The closed-loop client's process: as many requests as the server takes, for the rate at which it saturates. It is as
 * lean as can be, because it shares the processors with what it measures; every response is still compared in length and
 * status with one that was parsed in full.
 */
import { connect, type Socket } from "node:net";
import { parseResponse } from "../../test/support/http-response.js";
import type { Flood, FloodReport } from "./flood.js";

process.on("message", (flood: Flood) => {
  void run(flood).then((report) => process.send?.(report));
});
process.on("disconnect", () => process.exit(0));

const path = "/plain";

async function run(flood: Flood): Promise<FloodReport> {
  const state: State = { flood, ok: 0, failed: 0, over: false, length: 0 };
  const loops = Array.from({ length: flood.connections }, () =>
    flood.fresh ? reconnect(state) : keep(state),
  );
  await pause(flood.warmMs);
  state.ok = 0;
  state.failed = 0;
  const from = performance.now();
  process.send?.("warm");
  await pause(flood.ms);
  const report = { ok: state.ok, failed: state.failed, seconds: (performance.now() - from) / 1000 };
  state.over = true;
  await Promise.race([Promise.all(loops), pause(1_000)]);
  return report;
}

interface State {
  readonly flood: Flood;
  ok: number;
  failed: number;
  over: boolean;
  /** Bytes of a right response; all have the same. */
  length: number;
}

/** One connection that is kept, and opened anew when it is lost. */
async function keep(state: State): Promise<void> {
  const { host, port } = state.flood;
  const head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  while (!state.over) {
    await new Promise<void>((resolve) => {
      const socket = connect({ host, port, noDelay: true });
      let bytes: Buffer = Buffer.alloc(0);
      socket.on("connect", () => socket.write(head));
      socket.on("data", (chunk: Buffer) => {
        bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
        if (bytes.length < state.length || !isWhole(state, bytes)) return;
        bytes = Buffer.alloc(0);
        state.ok += 1;
        if (state.over) socket.destroy();
        else socket.write(head);
      });
      endOf(socket, () => {
        if (!state.over) state.failed += 1;
        resolve();
      });
    });
  }
}

/** One connection for each request, one after the other. */
async function reconnect(state: State): Promise<void> {
  const { host, port } = state.flood;
  const head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  while (!state.over) {
    await new Promise<void>((resolve) => {
      const socket = connect({ host, port, noDelay: true });
      let bytes: Buffer = Buffer.alloc(0);
      socket.on("connect", () => socket.write(head));
      socket.on("data", (chunk: Buffer) => {
        bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      });
      endOf(socket, () => {
        if (bytes.length > 0 && isWhole(state, bytes)) state.ok += 1;
        else state.failed += 1;
        resolve();
      });
    });
  }
}

function isWhole(state: State, bytes: Buffer): boolean {
  if (state.length > 0) return bytes.length === state.length && bytes.toString("latin1", 9, 12) === "200";
  const response = parseResponse(bytes, false);
  if (response?.status === 200) state.length = response.length;
  return response !== undefined && response.status === 200;
}

function endOf(socket: Socket, ended: () => void): void {
  socket.on("error", () => undefined);
  socket.on("close", ended);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
