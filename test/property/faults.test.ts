/** The simulated world catches every fault that is planted in the pool. */
import { testFaults } from "./planted.js";
import { runHistory } from "./world.js";
import { scenario } from "./world-adversary.js";
import { poolFaults } from "./world-faults.js";
import { callFaults } from "./world-faults-calls.js";
import { healthFaults } from "./world-faults-health.js";
import { promises } from "./world-promises.js";

testFaults("a pool that", [...poolFaults, ...callFaults, ...healthFaults], {
  promises,
  scenario,
  run: (chosen, { plant }) => void runHistory(chosen, plant()),
  seed: Number(process.env.SEED ?? Date.now() % 2 ** 31),
  patience: 4000,
});
