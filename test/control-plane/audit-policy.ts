// What the API server writes to its audit log: who did what to what, and, where a test wants to judge a write, its body.

/**
 * The first rule that matches decides. Nothing is left out. Bodies are kept for what people, tests and agents write; not for
 * the cluster's own components, whose heartbeats would drown the rest, nor where a body holds a secret.
 */
export const AUDIT_POLICY: object = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'Metadata',
      resources: [
        { group: '', resources: ['secrets', 'serviceaccounts/token'] },
        { group: 'authentication.k8s.io', resources: ['tokenreviews'] },
      ],
    },
    { level: 'RequestResponse', verbs: ['delete', 'deletecollection'] },
    { level: 'Metadata', userGroups: ['system:nodes'] },
    {
      level: 'Metadata',
      users: ['system:apiserver', 'system:kube-controller-manager', 'system:kube-scheduler'],
    },
    { level: 'Metadata', userGroups: ['system:serviceaccounts:kube-system'] },
    { level: 'RequestResponse', verbs: ['create', 'update', 'patch'] },
    { level: 'Metadata' },
  ],
};
