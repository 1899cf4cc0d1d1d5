// Whatever happens to a Node object, a proof that is required is required.
import type { TakeoverRecord } from '@liberator/core';
import { destructive } from '../world/writes.ts';
import type { Invariant } from './invariant.ts';

export const proofMeansProof: Invariant = {
  name: 'proof-means-proof',
  sentence:
    'Where the policy requires a proof, no pod is deleted, no Node marked or deleted by Liberator before a proof that the policy accepts is on record, whether the Node object is there or not.',
  watch: (world) => {
    const { proof: demanded, accept } = world.scenario.policy.fencing;
    const required = demanded === 'required';
    const isProof = ({ proof }: TakeoverRecord): boolean =>
      proof !== undefined && proof !== 'none' && accept?.includes(proof) !== false;
    return {
      sent({ replica, write }) {
        if (!required || !destructive.has(write.kind)) return undefined;
        const { kind, namespace, name, uid } = write;
        const isMeant = ({ node, pods }: TakeoverRecord): boolean =>
          kind === 'delete-pod'
            ? pods.some((pod) => pod.namespace === namespace && pod.name === name && pod.uid === uid)
            : node.name === name && node.uid === uid;
        const records = world.truth.records.filter(isMeant);
        if (records.some(isProof)) return undefined;
        const node =
          kind === 'delete-pod' ? world.truth.pod(namespace ?? '', name ?? '')?.spec?.nodeName : name;
        // The proof may have been in a record that somebody spoiled since.
        if (node !== undefined && world.human.hasSpoiledRecord(node)) return undefined;
        const gone = node !== undefined && world.truth.node(node) === undefined;
        const found = records.map(({ id, proof }) => `${id}: ${proof ?? 'no proof'}`).join(', ');
        return `${replica.name} sent ${kind} of ${name} (${node}${gone ? ', whose Node is gone' : ''}) without a proof (${found || 'nothing on record'})`;
      },
    };
  },
};
