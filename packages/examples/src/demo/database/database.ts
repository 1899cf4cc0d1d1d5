// The database of the demo: MySQL as a StatefulSet, with a password that nobody knows and a volume of its own.
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type KubernetesReader, persistentVolumeClaims, pods } from '@liberator/core';
import { type Manifest, namespaceObject, readManifests } from '../cluster/create-objects.ts';

/** The database as it was before the crash, and as it is after the recovery. */
export interface DatabaseSight {
  readonly uid: string;
  readonly node: string;
  /** The PersistentVolume behind its claim. */
  readonly volume: string;
  readonly claimUid: string;
}

export const databaseNamespace = 'liberator-demo';
export const databasePod = 'mysql-0';

const manifestFile = fileURLToPath(new URL('../../../mysql-statefulset/mysql.yaml', import.meta.url));

/** Everything to create, in this order. */
export function databaseObjects(options: { readonly withVolume: boolean }): readonly Manifest[] {
  const secret: Manifest = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'mysql', namespace: databaseNamespace },
    stringData: { 'root-password': randomBytes(24).toString('base64url') },
  };
  return [
    namespaceObject(databaseNamespace),
    ...(options.withVolume ? [volumeByHand] : []),
    secret,
    ...readManifests(manifestFile, databaseNamespace),
  ];
}

/** For clusters without a provisioner: reserved for the claim of mysql-0, and usable on every node. */
const volumeByHand: Manifest = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'liberator-demo-mysql' },
  spec: {
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'standard',
    persistentVolumeReclaimPolicy: 'Retain',
    claimRef: { namespace: databaseNamespace, name: `data-${databasePod}` },
    hostPath: { path: '/var/lib/liberator-demo' },
  },
};

/** Which pod it is, where, and on which volume; undefined while any of it is open. */
export async function lookAtDatabase(reader: KubernetesReader): Promise<DatabaseSight | undefined> {
  const pod = await reader.get(pods, { namespace: databaseNamespace, name: databasePod });
  const claimName = pod.spec?.volumes?.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim ?? [])[0]
    ?.claimName;
  const node = pod.spec?.nodeName;
  if (claimName === undefined || node === undefined) return undefined;
  const claim = await reader.get(persistentVolumeClaims, { namespace: databaseNamespace, name: claimName });
  const volume = claim.spec?.volumeName;
  if (volume === undefined) return undefined;
  return { uid: pod.metadata.uid, node, volume, claimUid: claim.metadata.uid };
}
