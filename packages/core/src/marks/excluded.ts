// The marks by which people and other controllers ask everybody to leave a node alone.

/** Labels and annotations by which the field marks such nodes, and ours; a value of `false` is no mark. */
export const excludingMarks: readonly string[] = [
  'liberator.dev/exclude',
  'remediation.medik8s.io/exclude-from-remediation',
  'node.kubernetes.io/exclude-disruption',
  'cluster.x-k8s.io/skip-remediation',
];

/** Taints of controllers that are taking the node away on purpose: it is theirs. */
export const othersTaints: readonly string[] = ['ToBeDeletedByClusterAutoscaler', 'karpenter.sh/disrupted'];
