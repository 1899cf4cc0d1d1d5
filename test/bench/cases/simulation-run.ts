// Runs clusters from seeds in a process that does nothing else, and tells the CPU that each took.
import { scenarioOf, simulate } from '../../chaos/simulation.ts';
import type { SimulatedCluster } from './simulation.ts';

const seeds = Number(process.argv[2]);
// The compiler's work would count for the first one alone.
await simulate(scenarioOf(0));
for (let seed = 1; seed <= seeds; seed++) {
  const before = process.cpuUsage();
  const { simulatedMs } = await simulate(scenarioOf(seed));
  const { user, system } = process.cpuUsage(before);
  const told: SimulatedCluster = { seed, simulatedMs, cpuMs: (user + system) / 1_000 };
  console.log(JSON.stringify(told));
}
