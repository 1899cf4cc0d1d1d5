// What is said before anything dies about pods that nobody makes anew.
import { describe, expect, it } from 'vitest';
import type { Pod } from '../kubernetes/objects.ts';
import { barePods } from './bare-pods.ts';

const pod = (
  metadata: Partial<Pod['metadata']> = {},
  spec: Pod['spec'] = {},
  status: Pod['status'] = {},
): Pod => ({
  metadata: { name: 'one', namespace: 'shop', uid: 'u', resourceVersion: '1', ...metadata },
  spec: { nodeName: 'n1', ...spec },
  status,
});
const owned = (kind: string): Partial<Pod['metadata']> => ({
  ownerReferences: [{ apiVersion: 'v1', kind, name: 'owner', uid: 'o', controller: true }],
});
const keep = { annotations: { 'liberator.dev/keep': 'true' } };

describe('a pod that nobody makes anew', () => {
  it.each<{ what: string; of: Pod; fate: string | undefined }>([
    { what: 'on a node', of: pod(), fate: 'lost' },
    { what: 'on a node, kept', of: pod(keep), fate: 'kept-at-a-price' },
    {
      what: 'on a node, kept, that tolerates the mark as out of service',
      of: pod(keep, { tolerations: [{ operator: 'Exists' }] }),
      fate: 'kept',
    },
    {
      what: 'with a mark that says false',
      of: pod({ annotations: { 'liberator.dev/keep': 'false' } }),
      fate: 'lost',
    },
    { what: 'that has finished', of: pod({}, {}, { phase: 'Succeeded' }), fate: undefined },
    {
      what: 'on no node yet',
      of: { metadata: { name: 'one', namespace: 'shop', uid: 'u', resourceVersion: '1' } },
      fate: undefined,
    },
    {
      what: 'but its kubelet, from a file',
      of: pod({ annotations: { 'kubernetes.io/config.mirror': 'x' } }),
      fate: undefined,
    },
    { what: 'but a StatefulSet', of: pod(owned('StatefulSet')), fate: undefined },
    { what: 'but a DaemonSet', of: pod(owned('DaemonSet')), fate: undefined },
    { what: 'but a Job', of: pod(owned('Job')), fate: undefined },
  ])('$what: $fate', ({ of, fate }) => {
    expect(barePods([of]).map((one) => one.fate)).toEqual(fate === undefined ? [] : [fate]);
  });
});
