// The story as a whole: puts up what it needs, has it played, and takes everything down again, however it ends.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createReader, createTransport, loadKubeConfig } from '@liberator/core';
import { startEmbeddedCluster } from '../cluster/embedded-cluster.ts';
import { enterRealCluster } from '../cluster/real-cluster.ts';
import { databasePod } from '../database/database.ts';
import { Journal } from '../observing/journal.ts';
import type { Entry } from '../observing/observation.ts';
import { Narrator } from '../telling/narrator.ts';
import type { Recovery } from '../telling/report.ts';
import type { Line } from '../telling/timeline.ts';
import { ClusterWatch } from './cluster-watch.ts';
import { Scene } from './scene.ts';

export interface StoryOptions {
  /** Of a cluster that `npm run cluster` started. Default: an embedded one. */
  readonly kubeconfig: string | undefined;
  /** Called with each line of the timeline. */
  readonly tell: (line: Line) => void;
  /** Called when the story is over, before what was started for it ends. */
  readonly onEnd: (recovery: Recovery, entries: readonly Entry[]) => Promise<void>;
  /** Aborts the story; what it started ends all the same. */
  readonly signal: AbortSignal;
}

/**
 * Returns whether the database recovered. When it did not, the logs stay.
 *
 * @throws UsageError, DemoFailure when there is no cluster to play on, or the reason of `signal`.
 */
export async function playStory(options: StoryOptions): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'liberator-demo-'));
  let keepLogs = false;
  try {
    const recovered = await play(directory, options);
    keepLogs = !recovered;
    return recovered;
  } finally {
    if (!keepLogs) rmSync(directory, { recursive: true, force: true });
  }
}

async function play(directory: string, options: StoryOptions): Promise<boolean> {
  const { tell, signal, kubeconfig } = options;
  const startedAt = performance.now();
  const onNotice = (text: string): void => tell({ who: 'clean-up', text, tone: 'quiet' });
  await using stage = new AsyncDisposableStack();
  const cluster = stage.use(
    kubeconfig === undefined
      ? await startEmbeddedCluster(directory)
      : await enterRealCluster({ kubeconfig, directory, onNotice }),
  );
  signal.throwIfAborted();

  const transport = createTransport(loadKubeConfig({ path: cluster.adminKubeconfig }), { purpose: 'demo' });
  stage.adopt(transport, (used) => used.close());
  const reader = createReader({ transport });
  const journal = new Journal();
  const narrator = new Narrator(databasePod, startedAt);
  journal.onEntry((entry) => narrator.tell(entry).forEach(tell));
  stage.use(new ClusterWatch(reader, journal));

  const scene = new Scene({ cluster, reader, journal, directory, stage, tell, signal, startedAt });
  const recovery = await scene.play();
  await options.onEnd(recovery, journal.entries);
  return recovery.recovered;
}
