// Situations in which a defect shows that otherwise takes thousands of seeds to come about.
import type { PlannedFault, Scenario } from '../world/scenario.ts';

/** A fault that begins so many seconds after the first one may. */
export function fault(
  kind: string,
  target: string,
  [atSeconds, forSeconds]: readonly [number, number],
  manner = '',
): (scenario: Scenario) => PlannedFault {
  return ({ faultsFromMs }) => ({
    kind,
    target,
    atMs: faultsFromMs + atSeconds * 1_000,
    forMs: forSeconds * 1_000,
    manner,
  });
}

/** Nothing happens but this. */
export function only(
  scenario: Scenario,
  faults: readonly ((scenario: Scenario) => PlannedFault)[],
): Scenario {
  return { ...scenario, faults: faults.map((draw) => draw(scenario)) };
}

/** So many nodes are cut off at once, for two minutes. */
export function cutAtOnce(scenario: Scenario, count: number): Scenario {
  const names = scenario.nodes.slice(0, count).map(({ name }) => name);
  return only(
    scenario,
    names.map((name) => fault('machine-cut', name, [10, 120])),
  );
}

/** The policy's ladder is one switch that works, and needs this long. */
export function withSwitch(scenario: Scenario, takesMs: number, proof: 'required' | 'optional'): Scenario {
  return {
    ...scenario,
    policy: { ...scenario.policy, fencing: { drivers: ['switch'], proof } },
    switches: [{ name: 'switch', takesMs, usually: 'fine' }],
  };
}

/** The first node that is sure to have a pod: a set of as many pods as there are nodes has one on each. */
export function withPodsEverywhere(scenario: Scenario): Scenario {
  const few = scenario.nodes.slice(0, 8);
  return { ...scenario, nodes: few, sets: [{ name: 'set-1', replicas: few.length, volumes: false }] };
}
