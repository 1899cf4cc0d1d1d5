// Holds for nodes that somebody, or some other controller, asked everybody to leave alone.
import { type Guard, hold, pass } from '../guard.ts';

/** Labels and annotations by which the field marks such nodes, and ours; a value of `false` is no mark. */
const marks = [
  'liberator.dev/exclude',
  'remediation.medik8s.io/exclude-from-remediation',
  'node.kubernetes.io/exclude-disruption',
  'cluster.x-k8s.io/skip-remediation',
];

/** Taints of controllers that are taking the node away on purpose: it is theirs. */
const othersTaints = ['ToBeDeletedByClusterAutoscaler', 'karpenter.sh/disrupted'];

export const excluded: Guard = {
  name: 'excluded',
  evaluate: ({ node }) => {
    for (const mark of marks) {
      const values = [node.labels[mark], node.annotations[mark]];
      if (values.some((value) => value !== undefined && value !== 'false'))
        return hold(`it is marked ${mark}`);
    }
    const taint = node.taints.find(({ key }) => othersTaints.includes(key));
    return taint === undefined ? pass : hold(`another controller is removing it (taint ${taint.key})`);
  },
};
