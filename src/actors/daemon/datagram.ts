/** Unix datagrams through koffi. Linux only, as service managers with such a socket are. */
import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";
import type { Koffi } from "../koffi.js";
import type { Deliver } from "./notify-socket.js";

const unixFamily = 1;
const datagramType = 2;
const closeOnExec = 0o2000000;
const dontWait = 0x40;
const noSignal = 0x4000;

/** Throws where the system does not have what it takes. */
export function openDatagrams(koffi: Koffi, address: string): Deliver {
  const system = koffi.load(null);
  const socket = system.func("int socket(int family, int type, int protocol)");
  const sendTo = system.func(
    "long sendto(int fd, const void *data, size_t size, int flags, const void *address, unsigned int length)",
  );
  const fd = socket(unixFamily, datagramType | closeOnExec, 0);
  if (fd === -1) throw new Error("there is no datagram socket to be had");
  const name = encodeAddress(address);
  return async (lines) => {
    const data = Buffer.from(lines.join("\n"));
    const sent = sendTo(fd, data, data.length, dontWait | noSignal, name, name.length);
    if (Number(sent) >= 0) return "sent";
    const error = koffi.errno();
    if (transient.includes(error)) return "busy";
    throw new Error(getSystemErrorMap().get(-error)?.[1] ?? `error ${error}`);
  };
}

const { EAGAIN, EINTR, ENOBUFS } = constants.errno;
const transient: readonly number[] = [EAGAIN, EINTR, ENOBUFS];

/** A `sockaddr_un`. An abstract name begins with a NUL byte in place of the @, and does not end with one. */
function encodeAddress(address: string): Buffer {
  const isAbstract = address.startsWith("@");
  const path = Buffer.from(isAbstract ? `\0${address.slice(1)}` : `${address}\0`);
  return Buffer.concat([Buffer.from(new Uint16Array([unixFamily]).buffer), path]);
}
