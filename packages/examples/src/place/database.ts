// The database that examples crash a node under: the MySQL of the demo, with one pod.
import { createReader, isNotFound, type KubernetesReader, type Pod, pods } from '@liberator/core';
import type { DatabaseSight } from '../demo/database/database.ts';
import {
  databaseNamespace,
  databaseObjects,
  databasePod,
  lookAtDatabase,
} from '../demo/database/database.ts';
import { shortUid } from '../demo/telling/timeline.ts';
import type { Stage } from './run-example.ts';

/** Creates it and waits until its pod is Ready. */
export async function startDatabase({ place, tell }: Stage): Promise<DatabaseSight> {
  const reader = createReader({ transport: place.connection('example'), clock: place.clock });
  await place.create(databaseObjects({ withVolume: !place.providesVolumes }));
  await place.until(`${databasePod} was Ready`, () => isDatabaseReady(reader));
  const database = await lookAtDatabase(reader);
  if (database === undefined) throw new Error(`${databasePod} is Ready, yet it has no node or no volume`);
  tell(databasePod, `${shortUid(database.uid)} is Ready on ${database.node}`, 'good');
  return database;
}

/** Whether its pod is Ready; on another node than `notOn`, if that is given. */
export async function isDatabaseReady(reader: KubernetesReader, notOn?: string): Promise<boolean> {
  try {
    const pod: Pod = await reader.get(pods, { namespace: databaseNamespace, name: databasePod });
    const ready = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
    const leaving = pod.metadata.deletionTimestamp !== undefined;
    return ready === true && !leaving && pod.spec?.nodeName !== notOn;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
