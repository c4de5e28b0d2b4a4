/** The simulated tree catches every fault that is planted in what keeps a whole server alive. */
import { testFaults } from "./planted.js";
import { runTree } from "./tree.js";
import { scenario } from "./tree-adversary.js";
import { treeFaults } from "./tree-faults.js";
import { promises } from "./tree-promises.js";

testFaults("a server whose", treeFaults, {
  promises,
  scenario,
  run: (chosen, { plant }) => void runTree(chosen, plant),
  // Always the same histories, unless asked for others: whether a fault is found does not depend on luck.
  seed: Number(process.env.SEED ?? 1),
  patience: 1500,
});
