// What comes after a recovery: one node dies with which something is wrong for good, then another one with which nothing is.
import { fencersIn } from '@liberator/core';
import { missingPods } from './invariants/recovery.ts';
import { nodesThatCount } from './world/budget.ts';
import type { EncoreTrouble, PlannedEncore } from './world/scenario.ts';
import type { World } from './world/world.ts';

export const oneNodesTrouble: { readonly name: string; readonly sentence: string } = {
  name: 'one-nodes-trouble-is-its-own',
  sentence:
    'A takeover of a node with which something is wrong (a pod that may not be deleted, a finalizer, a record that can’t be read, a switch that hangs) delays that of no other.',
};

/** From the second death on: to notice it, to switch it off, to release its pods and to have them Ready elsewhere. */
const patienceMs = 4 * 60_000;

/** Once all is well again. */
const restMs = 10_000;

export async function encore(world: World, { trouble, afterMs }: PlannedEncore): Promise<void> {
  const nodes = cast(world);
  if (nodes === undefined) {
    world.note('encore', 'left out: too few nodes, or too small a budget');
    return;
  }
  const { first, second } = nodes;
  await world.run(world.clock.now() + restMs);
  world.note('encore', `${first} has ${trouble} for good, and dies`);
  begin(world, trouble, first);
  world.simulator.machine(first).crash();
  await world.run(world.clock.now() + afterMs);
  if (world.violation !== undefined) return;
  const pods = freeOf(world, podsOn(world, second), first);
  world.note('encore', `${second} dies, with ${pods.join(', ') || 'no pod'}`);
  world.simulator.machine(second).crash();
  const diedAt = world.clock.now();
  const untilMs = diedAt + patienceMs;
  const left = (): readonly string[] => [...takenOver(world, second, diedAt), ...missingPods(world, pods)];
  await world.run(untilMs, () => left().length === 0);
  if (world.violation !== undefined || left().length === 0) return;
  world.violate({
    invariant: oneNodesTrouble.name,
    sentence: oneNodesTrouble.sentence,
    found: `${patienceMs / 60_000} min after the death of ${second}, with ${trouble} of ${first}: ${left().join('; ')}`,
  });
}

/**
 * Who dies: first one that has a pod, so that something of it can be stuck. Nobody, where the policy would hold the
 * second death, or where the two of them would be too many at once to be believed.
 */
function cast(world: World): { readonly first: string; readonly second: string } | undefined {
  const { policy, nodes } = world.scenario;
  const { fencing, budget } = policy;
  const canBeFreed = fencing.proof === 'optional' || fencersIn(fencing).includes('switch');
  const allowed = Math.min(budget.maxDead, Math.floor((nodes.length * budget.maxDeadPercent) / 100));
  if (!canBeFreed || nodes.length < 5 || allowed < nodesThatCount(world).size + 2) return undefined;
  const living = world.simulator.nodes.filter((machine) => machine.speaks()).map(({ name }) => name);
  const loaded = living.filter((name) => podsOn(world, name).length > 0);
  const first = loaded[0] ?? living[0];
  const second = loaded.find((name) => name !== first) ?? living.find((name) => name !== first);
  return first === undefined || second === undefined ? undefined : { first, second };
}

function begin(world: World, trouble: EncoreTrouble, node: string): void {
  const { human, simulator, switches } = world;
  const [pod] = podsOn(world, node);
  switch (trouble) {
    case 'none':
      return;
    case 'refused-pod':
      if (pod !== undefined) simulator.admission.refuseDeletion({ resource: 'pods', name: pod });
      return;
    case 'held-pod':
      if (pod !== undefined) human.hold('pods', pod);
      return;
    case 'refused-node':
      simulator.admission.refuseDeletion({ resource: 'nodes', name: node });
      return;
    case 'held-node':
      human.hold('nodes', node);
      return;
    case 'unreadable-record':
      human.spoilRecord(node, 'without-node');
      return;
    case 'hanging-switch':
      for (const one of switches) one.hangFor(node);
  }
}

/** Without those of sets that have a pod on `other`: a set brings up its pods one after another, and waits for that one. */
function freeOf(world: World, pods: readonly string[], other: string): readonly string[] {
  const setOf = (pod: string): string => pod.slice(0, pod.lastIndexOf('-'));
  const waiting = new Set(podsOn(world, other).map(setOf));
  return pods.filter((pod) => !waiting.has(setOf(pod)));
}

/** Names of the StatefulSets' pods on a node. */
function podsOn({ scenario, truth }: World, node: string): readonly string[] {
  return scenario.sets
    .flatMap(({ name, replicas }) => Array.from({ length: replicas }, (_, at) => `${name}-${at}`))
    .filter((name) => truth.pod('default', name)?.spec?.nodeName === node);
}

function takenOver({ truth }: World, node: string, diedAt: number): readonly string[] {
  const released = truth.records.some(
    ({ id, node: { name }, steps }) =>
      name === node && (truth.openedAt(id) ?? 0) > diedAt && steps.release?.outcome !== undefined,
  );
  return released ? [] : [`${node} was not released`];
}
