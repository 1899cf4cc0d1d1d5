// `npm run example:mysql-statefulset`: what a StatefulSet keeps when its pod goes, and when it goes itself.
import { createReader, isNotFound, pods } from '@liberator/core';
import type { DatabaseSight } from '../demo/database/database.ts';
import {
  databaseNamespace,
  databaseObjects,
  databasePod,
  lookAtDatabase,
} from '../demo/database/database.ts';
import { DemoFailure } from '../demo/failure.ts';
import { shortUid } from '../demo/telling/timeline.ts';
import { isDatabaseReady, startDatabase } from '../place/database.ts';
import { type Example, runExample, type Stage } from '../place/run-example.ts';
import { deleteByHand } from './delete-by-hand.ts';

const example: Example = {
  name: 'mysql-statefulset',
  about: `Creates the MySQL StatefulSet of packages/examples/mysql-statefulset, deletes its
pod, then the whole StatefulSet, and shows what stays: the name and the volume.`,
  play,
};

async function play(stage: Stage): Promise<void> {
  const { place, tell, signal } = stage;
  const first = await startDatabase(stage);
  tell('volume', `${first.volume} is bound to the claim data-${databasePod}`);
  const connection = place.connection('example');
  const reader = createReader({ transport: connection, clock: place.clock });

  const namespace = databaseNamespace;
  const isGone = async (): Promise<boolean> => {
    try {
      await reader.get(pods, { namespace, name: databasePod });
      return false;
    } catch (error) {
      if (isNotFound(error)) return true;
      throw error;
    }
  };
  /** Waits for another pod of that name, and fails unless it has the volume of the first one. */
  const comesBack = async (before: DatabaseSight): Promise<DatabaseSight> => {
    let now: DatabaseSight | undefined;
    await place.until(`another ${databasePod} was Ready`, async () => {
      if (!(await isDatabaseReady(reader))) return false;
      now = await lookAtDatabase(reader);
      return now !== undefined && now.uid !== before.uid;
    });
    if (now === undefined || now.volume !== first.volume || now.claimUid !== first.claimUid) {
      throw new DemoFailure(`expected ${databasePod} on volume ${first.volume}, found it on ${now?.volume}`);
    }
    tell(databasePod, `${shortUid(now.uid)} is Ready on ${now.node}, on the same volume`, 'good');
    return now;
  };

  tell('example', `deletes the pod ${databasePod}`, 'warn');
  await deleteByHand(connection, 'pod', { namespace, name: databasePod }, signal);
  const second = await comesBack(first);

  tell('example', 'deletes the StatefulSet mysql', 'warn');
  await deleteByHand(connection, 'statefulset', { namespace, name: 'mysql' }, signal);
  await place.until(`${databasePod} was gone`, isGone);
  tell(databasePod, 'is gone; its claim and its volume are not');

  tell('example', 'creates the StatefulSet again');
  const objects = databaseObjects({ withVolume: false });
  await place.create(objects.filter(({ kind }) => kind === 'StatefulSet'));
  await comesBack(second);
  tell('example', 'one name and one volume all along: what is written there outlives both', 'good');
}

process.exit(await runExample(example, process.argv.slice(2)));
