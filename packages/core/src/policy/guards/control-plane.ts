// Holds for control-plane nodes unless the policy includes them: they carry no StatefulSets, and etcd minds.
import { type Guard, hold, pass } from '../guard.ts';

const labels = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

export const controlPlane: Guard = {
  name: 'control-plane',
  evaluate: ({ node, policy }) =>
    policy.controlPlane || !labels.some((label) => label in node.labels)
      ? pass
      : hold('it is a control-plane node and the policy does not include those'),
};
