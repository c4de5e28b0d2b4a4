/** A socket for datagrams as a service manager has it, and what has come in. Through koffi: Node has none. */
import { createRequire } from "node:module";
import { until } from "./wait.js";

interface Library {
  func(signature: string): (...args: unknown[]) => number;
}

export interface Datagrams {
  /** Every line that came, one datagram after the other. */
  lines(): string[];
  /** How many datagrams. */
  count(): number;
  /** Resolves when a line matches. */
  came(pattern: RegExp, ms?: number): Promise<void>;
  close(): void;
}

const unixFamily = 1;
const datagramType = 2;
const dontWait = 0x40;

/** An address with an @ in front is an abstract one. */
export function receiveDatagrams(address: string, { reads = true } = {}): Datagrams {
  const koffi = createRequire(import.meta.url)("koffi") as { load(library: null): Library };
  const system = koffi.load(null);
  const socket = system.func("int socket(int family, int type, int protocol)");
  const bind = system.func("int bind(int fd, const void *address, unsigned int length)");
  const receive = system.func("long recv(int fd, void *data, size_t size, int flags)");
  const close = system.func("int close(int fd)");
  const fd = socket(unixFamily, datagramType, 0);
  const isAbstract = address.startsWith("@");
  const path = Buffer.from(isAbstract ? `\0${address.slice(1)}` : `${address}\0`);
  const name = Buffer.concat([Buffer.from(new Uint16Array([unixFamily]).buffer), path]);
  if (bind(fd, name, name.length) !== 0) throw new Error(`cannot bind ${address}`);
  const got: string[] = [];
  const look = (): string[] => {
    const data = Buffer.alloc(4096);
    for (let size = Number(receive(fd, data, data.length, dontWait)); size >= 0; ) {
      got.push(data.toString("utf8", 0, size));
      size = Number(receive(fd, data, data.length, dontWait));
    }
    return got;
  };
  // A manager reads whatever comes at once, and systemd-notify waits until it has.
  const reading = reads ? setInterval(look, 10).unref() : undefined;
  const lines = () => look().flatMap((each) => each.split("\n").filter((line) => line !== ""));
  return {
    lines,
    count: () => look().length,
    came: async (pattern, ms) => {
      await until(
        `${pattern} among ${JSON.stringify(lines())}`,
        () => lines().some((line) => pattern.test(line)),
        ms,
      );
    },
    close: () => {
      clearInterval(reading);
      close(fd);
    },
  };
}
