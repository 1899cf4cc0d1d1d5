// Records pile up in the cluster; whoever begins to lead keeps the newest, and those that are still needed.
import type { TakeoverRecord } from '@liberator/core';
import { expect, it } from 'vitest';
import type { Manifest } from '../deploy/chart.ts';
import { account, create } from './installation.ts';
import { pause, Stage } from './stage.ts';

const kept = 50;
const surplus = 5;

it('a new leader removes the oldest records of finished takeovers, but none of a death that counts still', async () => {
  await using stage = await Stage.open();
  // The oldest of all tells of a death without proof, of which nobody has seen a whole window go by.
  const counts = finishedTakeover(0, { windowPassed: false });
  const over = Array.from({ length: kept + surplus }, (_, index) => finishedTakeover(1 + index));
  await create(stage.cluster, [counts, ...over]);

  // Whoever leads after this leader began to after the last of them was there.
  await stage.changeLeader();

  const left = [minute(0), ...Array.from({ length: kept }, (_, index) => minute(1 + surplus + index))];
  const closed = async (): Promise<unknown[]> => (await stage.records()).map(({ closedAt }) => closedAt);
  await stage.until('the oldest are gone', async () => (await closed()).length <= left.length);
  expect((await closed()).toSorted()).toEqual(left);
  // The leader has looked again by then, and finds nothing more to remove.
  await pause(3_000);
  expect((await closed()).toSorted()).toEqual(left);
});

/** One of long ago, about a node that is there no more. */
function finishedTakeover(index: number, change: Partial<TakeoverRecord> = {}): Manifest {
  const id = `long-ago-${index}`;
  const record: TakeoverRecord = {
    version: 1,
    id,
    deathId: id,
    node: { name: `node-of-old-${index}`, uid: `uid-of-old-${index}`, bootId: '' },
    lastHeartbeat: '',
    order: { epoch: 0, number: index },
    epoch: 0,
    openedAt: minute(index),
    closedAt: minute(index),
    evidence: 'unreachable',
    reasons: [],
    verdicts: [],
    policy: { name: 'everything', node: 'delete', proof: 'optional', drivers: ['none'] },
    pods: [],
    steps: {},
    result: 'recovered',
    windowPassed: true,
    ...change,
  };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace: account.namespace,
      name: `liberator-takeover-${id}`,
      labels: { 'liberator.dev/takeover': 'recovered' },
    },
    data: { 'record.json': JSON.stringify(record) },
  };
}

function minute(index: number): string {
  return new Date(Date.UTC(2026, 0, 1, 0, index)).toISOString();
}
