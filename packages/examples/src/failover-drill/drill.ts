// The drill: a database runs, the machine under it loses its power, and everything that follows is written down.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createReader } from '@liberator/core';

import { fencerName, ManagementController } from '../demo/cluster/management-controller.ts';
import type { DatabaseSight } from '../demo/database/database.ts';
import { databaseNamespace, databasePod, lookAtDatabase } from '../demo/database/database.ts';
import { sentenceOf } from '../demo/failure.ts';
import { everyNodeBeats, takeoverOf } from '../demo/observing/conditions.ts';
import { Journal } from '../demo/observing/journal.ts';
import { ClusterWatch } from '../demo/story/cluster-watch.ts';
import { Narrator } from '../demo/telling/narrator.ts';
import { type Recovery, report } from '../demo/telling/report.ts';
import { formatLine } from '../demo/telling/timeline.ts';
import { isDatabaseReady, startDatabase } from '../place/database.ts';
import type { Stage } from '../place/run-example.ts';
import { withControllers } from '../place/with-controllers.ts';
import { createReplicas } from './replicas.ts';

/** Whatever keeps the database from recovering is reported, not thrown. */
export async function drill(stage: Stage): Promise<Recovery> {
  const { place, print, paint, signal } = stage;
  const { clock } = place;
  const startedAt = clock.now();
  const before = await startDatabase(stage);
  const reader = createReader({ transport: place.connection('drill'), clock });
  const journal = new Journal(() => clock.now());
  const narrator = new Narrator(databasePod, startedAt);
  journal.onEntry((entry) => {
    for (const line of narrator.tell(entry)) print(formatLine(line, paint));
  });
  await using _watch = new ClusterWatch(reader, journal, clock);
  const directory = mkdtempSync(join(tmpdir(), 'liberator-drill-'));
  await using leaving = new AsyncDisposableStack();
  leaving.defer(() => rmSync(directory, { recursive: true, force: true }));
  const controller = leaving.use(
    await ManagementController.start({
      cluster: place,
      reader,
      directory,
      clock,
      onTrouble: (error) => journal.note({ kind: 'trouble', agent: fencerName, message: sentenceOf(error) }),
    }),
  );

  let after: DatabaseSight | undefined;
  let crashedAtWall: number | undefined;
  let failure: { readonly reason: string } | undefined;
  try {
    await withControllers(place, createReplicas(place, controller.access, journal), async () => {
      await place.until('the node had sent a heartbeat', () =>
        everyNodeBeats(journal.entries, [before.node]),
      );
      // Before rather than after, so that the time to recovery is never told too short.
      crashedAtWall = clock.wallTime();
      journal.note({ kind: 'crashed', node: before.node });
      await controller.crash(before.node);
      await place.until(`${databasePod} was Ready elsewhere`, () => isDatabaseReady(reader, before.node));
      after = await lookAtDatabase(reader);
      await place.until('the takeover had ended', () => takeoverOf(journal.entries)?.result !== undefined);
    });
  } catch (error) {
    signal.throwIfAborted();
    failure = { reason: sentenceOf(error) };
  }
  return report({
    entries: journal.entries,
    pod: `${databaseNamespace}/${databasePod}`,
    cluster: place.kind,
    kubernetes: place.version,
    changedTimers: place.changedTimers,
    before,
    after,
    deletes: crashedAtWall === undefined ? 0 : await place.nodeDeletes(new Date(crashedAtWall)),
    crashedAtWall,
    failure,
  });
}
