/** How counts are written, in the log and on the command line. */
import type { Counts } from "../protocol/types.js";

export function formatCounts({ booting, online, dying, new_online }: Counts): string {
  return `booting: ${booting}, online: ${online}, dying: ${dying}, new_online: ${new_online}`;
}
