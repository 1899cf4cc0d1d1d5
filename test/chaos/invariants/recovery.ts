// Liveness: what must be so again a while after all faults have ended.
import type { Pod } from '../world/truth.ts';
import type { World } from '../world/world.ts';

export const recovery: { readonly name: string; readonly sentence: string } = {
  name: 'recovery',
  sentence:
    'Once faults stop, every StatefulSet pod and as many pods of each Deployment as it wants run Ready on machines that are on, and no live node bears a mark of ours.',
};

const ourTaints = /^liberator\.dev\/|^node\.kubernetes\.io\/out-of-service$/;
const quarantineKey = 'liberator.dev/quarantine';

/** What is still missing, one sentence each; empty when all is well. */
export function missing(world: World): readonly string[] {
  return [...missingPods(world), ...marksOnTheLiving(world)];
}

/**
 * Machines that wait for a human to restart them, with the reason: in quarantine, or without a Node, since a kubelet
 * registers only when it starts.
 */
export function waitingForRestart({ simulator, truth }: World): ReadonlyMap<string, string> {
  const waiting = new Map<string, string>();
  for (const machine of simulator.nodes) {
    const node = truth.node(machine.name);
    if (machine.probe() !== 'answered') continue;
    if (node === undefined) waiting.set(machine.name, 'whose Node was deleted');
    else if (node.spec?.taints?.some(({ key }) => key === quarantineKey)) {
      waiting.set(machine.name, 'which is in quarantine');
    }
  }
  return waiting;
}

/** @param only - Of StatefulSets; default all of them, and those of Deployments. */
export function missingPods({ scenario, truth }: World, only?: readonly string[]): readonly string[] {
  const running = new Map(truth.runningPods().map((pod) => [pod.uid, pod.node]));
  const works = ({ metadata, spec, status }: Pod): boolean =>
    metadata.deletionTimestamp === undefined &&
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true &&
    running.get(metadata.uid) === spec?.nodeName;
  const all = scenario.sets.flatMap(({ name, replicas }) =>
    Array.from({ length: replicas }, (_, ordinal) => `${name}-${ordinal}`),
  );
  const identities = only ?? all;
  const missingIdentities = identities.flatMap((name) => {
    const pod = truth.pod('default', name);
    if (pod === undefined) return [`${name} is not there`];
    const on = pod.spec?.nodeName ?? 'no node';
    if (pod.metadata.deletionTimestamp !== undefined) return [`${name} is on its way out of ${on}`];
    return works(pod) ? [] : [`${name} on ${on} does not run`];
  });
  if (only !== undefined) return missingIdentities;
  const tooFew = (scenario.deployments ?? []).flatMap(({ name, replicas }) => {
    const working = truth.podsOf('default', name).filter(works).length;
    return working >= replicas ? [] : [`${working} of ${replicas} pods of ${name} run`];
  });
  return [...missingIdentities, ...tooFew];
}

function marksOnTheLiving({ truth, simulator }: World): readonly string[] {
  const living = simulator.nodes.filter((machine) => machine.isAlive());
  return living.flatMap(({ name }) => {
    const node = truth.node(name);
    if (node === undefined) return [`${name} has no Node`];
    const ours = (node.spec?.taints ?? []).filter(({ key }) => ourTaints.test(key));
    return ours.map(({ key }) => `${name} bears ${key}`);
  });
}
