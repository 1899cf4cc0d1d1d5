// Runs one scenario from its first moment to its recovery, and says what was wrong if anything was.
import { fencersIn } from '@liberator/core';
import { encore, oneNodesTrouble } from './encore.ts';
import { allFaults } from './faults/all-faults.ts';
import { allInvariants } from './invariants/all-invariants.ts';
import { missing, recovery, waitingForRestart } from './invariants/recovery.ts';
import { leftOut } from './pending.ts';
import { drawScenario } from './world/draw.ts';
import type { Defect } from './world/replica.ts';
import type { PlannedFault, Scenario } from './world/scenario.ts';
import { type Violation, World } from './world/world.ts';

export interface Outcome {
  readonly scenario: Scenario;
  readonly violation: Violation | undefined;
  readonly trace: readonly string[];
  /** Cases of two live pods where no proof was asked for. */
  readonly remarks: readonly string[];
  readonly simulatedMs: number;
  readonly takeovers: number;
}

/** How long a cluster may take to recover once all faults have ended. */
const recoveryMs = 15 * 60_000;

/** How often a human looks whether a machine waits to be restarted. */
const roundMs = 60_000;

/** How long that human waits for a restart to help: a machine has to boot, and then to be trusted again. */
const patienceMs = 4 * 60_000;

/** The scenario that a seed stands for. */
export function scenarioOf(seed: number): Scenario {
  return drawScenario(seed, allFaults);
}

/** @param on - Of what is pending, what is to happen and to be asked all the same; `all` for everything. */
export async function simulate(
  scenario: Scenario,
  defect: Defect = {},
  on: readonly string[] = [],
): Promise<Outcome> {
  const off = leftOut(on);
  const asked = allInvariants.filter(({ name }) => !off.has(name));
  await using world = await World.make(scenario, asked, defect);
  describe(world);
  // Not all at the same moment: the first one has the Lease before the others ask.
  for (const [at, replica] of world.replicas.entries()) {
    world.clock.setTimeout(() => replica.start(), 5_000 + at * 700);
  }
  for (const planned of scenario.faults) {
    if (!off.has(planned.kind)) world.clock.setTimeout(() => happen(world, planned), planned.atMs);
  }
  await world.run(scenario.faultsUntilMs + 1);
  if (world.violation === undefined) await recover(world);
  if (world.violation === undefined && scenario.encore !== undefined && !off.has(oneNodesTrouble.name)) {
    await encore(world, scenario.encore);
  }
  return {
    scenario,
    violation: world.violation,
    trace: world.trace.lines,
    remarks: world.remarks,
    simulatedMs: world.clock.now(),
    takeovers: world.truth.records.filter(({ result }) => result !== undefined).length,
  };
}

function happen(world: World, planned: PlannedFault): void {
  const fault = allFaults.find(({ kind }) => kind === planned.kind);
  if (fault === undefined) throw new RangeError(`expected a known kind of fault, found ${planned.kind}`);
  world.note('chaos', `${wordsFor(planned)} begins`);
  const end = fault.begin(world, planned);
  if (fault.disturbs) world.disturbed(planned.forMs);
  if (end === undefined) return;
  world.clock.setTimeout(() => {
    if (world.calm) return;
    world.note('chaos', `${wordsFor(planned)} ends`);
    end();
  }, planned.forMs);
}

async function recover(world: World): Promise<void> {
  world.calmDown();
  const untilMs = world.clock.now() + recoveryMs;
  let roundAt = world.clock.now();
  const restartedAt = new Map<string, number>();
  let lookAt = 0;
  let left: readonly string[] = [];
  const recovered = (): boolean => {
    if (world.clock.now() >= roundAt) {
      roundAt += roundMs;
      for (const [name, reason] of waitingForRestart(world)) {
        if (world.clock.now() - (restartedAt.get(name) ?? Number.NEGATIVE_INFINITY) < patienceMs) continue;
        restartedAt.set(name, world.clock.now());
        world.note('human', `restarts ${name}, ${reason}`);
        world.simulator.machine(name).reboot();
      }
    }
    if (world.clock.now() < lookAt) return false;
    lookAt = world.clock.now() + 1_000;
    left = missing(world);
    // Long enough for what is still under way to show.
    return left.length === 0 && world.clock.now() > untilMs - recoveryMs + 120_000;
  };
  await world.run(untilMs, recovered);
  if (left.length > 0)
    world.violate({
      invariant: recovery.name,
      sentence: recovery.sentence,
      found: `after ${recoveryMs / 60_000} min: ${left.join('; ')}`,
    });
}

function describe(world: World): void {
  const { seed, nodes, replicas, sets, deployments = [], policy, staysOff, switches } = world.scenario;
  const { fencing, node, budget } = policy;
  const rungs = switches.map(({ name, usually }) => (usually === 'fine' ? name : `${name} (${usually})`));
  const ladder = fencersIn(fencing).map((name) => rungs.find((rung) => rung.startsWith(name)) ?? name);
  world.note(
    'scenario',
    `seed ${seed}: ${nodes.length} nodes, ${replicas.length} replicas, ` +
      `${sets.map(({ name, replicas: size, volumes }) => `${name} of ${size}${volumes ? ' with volumes' : ''}`).join(', ')}, ` +
      deployments.map(({ name, replicas: size }) => `${name} of ${size}, `).join('') +
      `proof ${fencing.proof} by ${ladder.join(' or ')}, node: ${node}, ` +
      `budget ${budget.maxDead} or ${budget.maxDeadPercent} %, ${staysOff ?? 'nobody'} stays off`,
  );
}

/** One fault in words. */
export function wordsFor({ kind, target, manner, atMs, forMs }: PlannedFault): string {
  const parts = [kind, target, manner].filter((part) => part !== '');
  return `${parts.join(' ')} at ${Math.round(atMs / 1_000)} s${forMs > 0 ? ` for ${Math.round(forMs / 1_000)} s` : ''}`;
}
