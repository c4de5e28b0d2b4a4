/** Where a daemon leaves, beside its ipc file, what another one needs if daemon and master die together. */

export function stateFile(ipcFile: string): string {
  return `${ipcFile}.state`;
}
