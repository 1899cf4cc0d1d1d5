// Liveness: what must be so again a while after all faults have ended.
import type { World } from '../world/world.ts';

export const recovery: { readonly name: string; readonly sentence: string } = {
  name: 'recovery',
  sentence:
    'Once faults stop, every StatefulSet pod runs Ready on a machine that is on, and no live node bears a mark of ours.',
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

function missingPods({ scenario, truth }: World): readonly string[] {
  const running = new Map(truth.runningPods().map((pod) => [pod.uid, pod.node]));
  return scenario.sets.flatMap(({ name, replicas }) =>
    Array.from({ length: replicas }, (_, ordinal) => `${name}-${ordinal}`).flatMap((podName) => {
      const pod = truth.pod('default', podName);
      if (pod === undefined) return [`${podName} is not there`];
      const { uid, deletionTimestamp } = pod.metadata;
      const on = pod.spec?.nodeName;
      if (deletionTimestamp !== undefined) return [`${podName} is on its way out of ${on}`];
      if (on === undefined) return [`${podName} is on no node`];
      const ready = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
      return ready && running.get(uid) === on ? [] : [`${podName} on ${on} does not run`];
    }),
  );
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
