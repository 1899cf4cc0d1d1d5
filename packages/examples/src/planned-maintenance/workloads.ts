// What runs on the cluster meanwhile: a database of three with a volume each, of which one may be away at a time, and a web server.
import { type Manifest, namespaceObject } from '../demo/cluster/create-objects.ts';

export const namespace = 'liberator-maintenance';
export const replicas = 3;
const databaseLabels = { app: 'database' };

/** Selects the database's pods. */
export const databaseSelector = 'app=database';

/**
 * Everything to create, in this order.
 *
 * @param options.withVolumes - Make the volumes, too: for clusters without a provisioner.
 */
export function workloads(options: { readonly withVolumes: boolean }): readonly Manifest[] {
  return [
    namespaceObject(namespace),
    ...(options.withVolumes ? Array.from({ length: replicas }, (_, ordinal) => volumeFor(ordinal)) : []),
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'database', namespace },
      spec: { maxUnavailable: 1, selector: { matchLabels: databaseLabels } },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'database', namespace },
      spec: {
        serviceName: 'database',
        replicas,
        podManagementPolicy: 'Parallel',
        selector: { matchLabels: databaseLabels },
        template: podTemplate(databaseLabels),
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: {
              accessModes: ['ReadWriteOnce'],
              storageClassName: 'standard',
              resources: { requests: { storage: '1Gi' } },
            },
          },
        ],
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        template: podTemplate({ app: 'web' }),
      },
    },
  ];
}

function podTemplate(labels: Readonly<Record<string, string>>): object {
  return {
    metadata: { labels },
    spec: {
      terminationGracePeriodSeconds: 5,
      containers: [{ name: 'main', image: 'registry.invalid/main:1' }],
    },
  };
}

/** Reserved for the claim of one pod, and usable on every node. */
function volumeFor(ordinal: number): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${namespace}-${ordinal}` },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'standard',
      persistentVolumeReclaimPolicy: 'Retain',
      claimRef: { namespace, name: `data-database-${ordinal}` },
      hostPath: { path: `/var/lib/${namespace}-${ordinal}` },
    },
  };
}
