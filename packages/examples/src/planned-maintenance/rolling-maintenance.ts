// The heart of the example: every node of a cluster is emptied, switched off and on again, and given back, one by one.
import {
  connectMaintenance,
  createReader,
  type DrainProgress,
  drain,
  type KubernetesReader,
  nodes,
  sleep,
  systemClock,
  uncordon,
} from '@liberator/core';
import { DemoFailure } from '../demo/failure.ts';
import type { Line } from '../demo/telling/timeline.ts';
import { Availability, readyReplicas } from './availability.ts';
import type { MaintainedCluster } from './clusters.ts';
import { replicas, workloads } from './workloads.ts';

const patienceMs = 90_000;
const lookEveryMs = 250;

export interface MaintenanceOptions {
  readonly cluster: MaintainedCluster;
  readonly tell: (line: Line) => void;
  readonly signal: AbortSignal;
}

/** What the maintenance of a whole cluster came to. */
export interface Maintained {
  readonly nodes: number;
  /** The fewest replicas of the database that were Ready at any moment. */
  readonly fewestReady: number;
}

/** @throws MaintenanceError when a node can't be drained, and the reason of `signal` when it aborts. */
export async function maintainEveryNode({ cluster, tell, signal }: MaintenanceOptions): Promise<Maintained> {
  const { transport } = cluster;
  const reader = createReader({ transport });
  const maintenance = connectMaintenance({ transport });

  await cluster.create(workloads({ withVolumes: !cluster.providesVolumes }));
  await until('the database is Ready', signal, async () => (await readyReplicas(reader)) === replicas);
  tell({ who: 'database', text: `${replicas} replicas are Ready, each with its volume`, tone: 'good' });

  await using availability = new Availability(reader);
  const { items } = await reader.list(nodes);
  for (const { metadata } of items) {
    const node = metadata.name;
    const bootId = await bootIdOf(reader, node);
    try {
      const { moved } = await drain({
        cluster: maintenance,
        node,
        by: 'the planned-maintenance example',
        signal,
        onProgress: (progress) => lineFor(node, progress).forEach(tell),
      });
      tell({ who: node, text: `is empty, ${moved.length} pods moved: switching it off`, tone: 'strong' });
      // Here you would swap a disk, or update the kernel.
      await cluster.switchOff(node);
      await cluster.switchOn(node);
      await until(`${node} has booted again`, signal, async () => (await bootIdOf(reader, node)) !== bootId);
    } finally {
      await uncordon({ cluster: maintenance, node });
    }
    tell({ who: node, text: 'has booted again, and takes pods', tone: 'good' });
    await until('the database is whole', signal, async () => (await readyReplicas(reader)) === replicas);
  }
  return { nodes: items.length, fewestReady: availability.fewest };
}

/** Undefined while it isn't Ready. */
async function bootIdOf(reader: KubernetesReader, name: string): Promise<string | undefined> {
  const { status } = await reader.get(nodes, { name });
  return status?.nodeInfo?.bootID;
}

function lineFor(node: string, progress: DrainProgress): readonly Line[] {
  switch (progress.type) {
    case 'cordoned':
      return [{ who: node, text: 'is cordoned, and takeovers of it are held' }];
    case 'pod': {
      const { pod, phase, detail } = progress;
      const tone = phase === 'refused' ? 'warn' : phase === 'done' ? 'plain' : 'quiet';
      return [{ who: '', text: `${pod.name}: ${detail}`, tone }];
    }
    default:
      return [];
  }
}

async function until(what: string, signal: AbortSignal, reached: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await reached())) {
    if (performance.now() > end)
      throw new DemoFailure(`waited ${patienceMs / 1_000} s in vain until ${what}`);
    await sleep(systemClock, lookEveryMs, signal);
    signal.throwIfAborted();
  }
}
