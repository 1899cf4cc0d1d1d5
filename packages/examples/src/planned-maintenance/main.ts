// `npm run example:planned-maintenance`: every node of a cluster is switched off and on again, and nobody misses the database.
import {
  connectMaintenance,
  createReader,
  type DrainProgress,
  type KubernetesReader,
  MaintenanceError,
  nodes,
  sleep,
} from '@liberator/core';
import { DemoFailure } from '../demo/failure.ts';
import { type Example, runExample, type Stage } from '../place/run-example.ts';
import { Availability, readyReplicas } from './availability.ts';
import { maintainNode } from './maintain-node.ts';
import { replicas, workloads } from './workloads.ts';

const example: Example = {
  name: 'planned-maintenance',
  about: `Drains every node of a cluster in turn, switches it off and on again, and gives
it back, while a database of three replicas goes on with at least two.`,
  play,
};

const lookEveryMs = 250;

async function play({ place, tell, signal }: Stage): Promise<void> {
  const { clock } = place;
  const reader = createReader({ transport: place.connection('example'), clock });
  await place.create(workloads({ withVolumes: !place.providesVolumes }));
  const isWhole = async (): Promise<boolean> => (await readyReplicas(reader)) === replicas;
  await place.until('the database was Ready', isWhole);
  tell('database', `${replicas} replicas are Ready, each with its volume`, 'good');

  const availability = new Availability(reader, clock);
  try {
    for (const { metadata } of (await reader.list(nodes)).items) {
      await maintain({ place, tell, signal }, metadata.name, reader);
      await place.until('the database was whole', isWhole);
    }
  } finally {
    availability.stop();
  }
  const { fewest } = availability;
  if (fewest < replicas - 1)
    throw new DemoFailure(`expected at least 2 replicas at any moment, found ${fewest}`);
  tell('database', `never fewer than ${fewest} of ${replicas} replicas were Ready`, 'good');
}

async function maintain(
  { place, tell, signal }: Pick<Stage, 'place' | 'tell' | 'signal'>,
  node: string,
  reader: KubernetesReader,
): Promise<void> {
  const { clock, random } = place;
  const bootId = await bootIdOf(reader, node);
  const maintaining = maintainNode({
    cluster: connectMaintenance({ transport: place.connection('maintenance'), clock, random }),
    node,
    by: 'the planned-maintenance example',
    signal,
    clock,
    random,
    onProgress: (progress) => {
      for (const line of linesFor(node, progress)) tell(...line);
    },
    async work({ moved }) {
      tell(node, `is empty, ${moved.length} pods moved: switching it off`, 'strong');
      // Here you would swap a disk, or update the kernel.
      await place.crash(node);
      await place.powerOn(node);
      // Given back earlier, it would be sent pods that nobody starts.
      while ((await bootIdOf(reader, node)) === bootId) await sleep(clock, lookEveryMs);
    },
  });
  await place.allSettled([maintaining]);
  signal.throwIfAborted();
  await maintaining.catch((error: unknown) => {
    throw error instanceof MaintenanceError ? new DemoFailure(error.message, { cause: error }) : error;
  });
  tell(node, 'has booted again, and takes pods', 'good');
}

async function bootIdOf(reader: KubernetesReader, name: string): Promise<string | undefined> {
  return (await reader.get(nodes, { name })).status?.nodeInfo?.bootID;
}

function linesFor(node: string, progress: DrainProgress): readonly Parameters<Stage['tell']>[] {
  switch (progress.type) {
    case 'cordoned':
      return [[node, 'is cordoned, and takeovers of it are held']];
    case 'pod': {
      const { pod, phase, detail } = progress;
      const tone = phase === 'refused' ? 'warn' : phase === 'done' ? 'plain' : 'quiet';
      return [['', `${pod.name}: ${detail}`, tone]];
    }
    default:
      return [];
  }
}

process.exit(await runExample(example, process.argv.slice(2)));
