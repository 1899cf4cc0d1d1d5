// The promise of a StatefulSet, held against what runs on machines.
import type { RunningPod } from '@liberator/simulator';
import { identityOf } from '../world/truth.ts';
import type { Invariant } from './invariant.ts';

export const onePodPerIdentity: Invariant = {
  name: 'one-pod-per-identity',
  sentence:
    'Where the policy requires a proof, the fencer did not lie, and nobody deleted the Node, no two pods of one identity ever run; else each case is told with its evidence.',
  watch: (world) => {
    const told = new Set<string>();
    let checked: readonly RunningPod[] = [];
    return {
      check() {
        const running = world.truth.runningPods();
        if (running === checked) return undefined;
        checked = running;
        const seen = new Map<string, RunningPod>();
        for (const pod of running) {
          const identity = identityOf(pod);
          const other = seen.get(identity);
          seen.set(identity, pod);
          if (other === undefined || other.uid === pod.uid) continue;
          const found = `${identity} runs on ${other.node} and on ${pod.node}`;
          const excused = [other, pod].some(
            // Kubernetes' own garbage collector frees the pods of a Node that somebody deleted, and asks for no proof.
            ({ node }) => world.liedAbout.has(node) || world.human.nodeDeletedAt(node) !== undefined,
          );
          if (world.scenario.policy.fencing.proof === 'required' && !excused) return found;
          const key = [other.uid, pod.uid].sort().join();
          if (told.has(key)) continue;
          told.add(key);
          const records = world.truth.records.filter(({ node }) =>
            [other.node, pod.node].includes(node.name),
          );
          const evidence = records.map(
            ({ id, evidence, proof, reasons }) =>
              `takeover ${id}: ${evidence}, proof ${proof ?? 'pending'} (${reasons.join('; ')})`,
          );
          world.remark(`${found}; ${evidence.join(' | ') || 'no takeover of either is on record'}`);
        }
        return undefined;
      },
    };
  },
};
