/** What one scenario is told before it begins, and what keeps it within its time. */
import { root } from "../test/support/servers.js";
import type { Contender } from "./contenders/contender.js";
import type { Options } from "./options.js";
import type { Plan } from "./report/section.js";
import type { Peers } from "./setting/install.js";

export function openPlan(
  { quick, short, full }: Options,
  contenders: readonly Contender[],
  peers: Peers,
  say: (text: string) => void,
): { readonly plan: Plan; readonly troubles: readonly string[] } {
  const troubles: string[] = [];
  const plan: Plan = {
    quick,
    full,
    contenders,
    peers,
    say,
    *rounds(most, seconds) {
      const began = performance.now();
      const spent = () => (performance.now() - began) / 1000;
      const count = quick ? Math.ceil(most / 5) : short ? Math.ceil(most / 2) : most;
      for (let round = 0; round < count; round += 1) {
        if (round > 0 && (spent() * (round + 1)) / round > seconds) return;
        yield round;
      }
    },
    async attempt(what, work, seconds = 100) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`gave up after ${seconds} s`)), seconds * 1000);
      });
      try {
        await Promise.race([work(), late]);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        troubles.push(`${what}: ${message.replaceAll(root, "").replaceAll("\n", " ").slice(0, 300)}`);
        say(`FAILED ${what}: ${message}`);
        process.exitCode = 1;
      } finally {
        clearTimeout(timer);
      }
    },
  };
  return { plan, troubles };
}
