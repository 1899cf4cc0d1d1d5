// Records pile up in the cluster; whoever begins to lead keeps the newest.
import type { TakeoverRecord } from '@liberator/core';
import { expect, it } from 'vitest';
import type { Manifest } from '../deploy/chart.ts';
import { account, create } from './installation.ts';
import { Stage } from './stage.ts';

const kept = 50;
const surplus = 5;

it('a new leader removes the oldest records of finished takeovers', async () => {
  await using stage = await Stage.open();
  await create(
    stage.cluster,
    Array.from({ length: kept + surplus }, (_, index) => finishedTakeover(index)),
  );

  await stage.agent(await stage.leader()).kill();

  await stage.until('the oldest are gone', async () => (await stage.records()).length === kept);
  const closed = (await stage.records()).map(({ closedAt }) => closedAt);
  expect(closed.toSorted()).toEqual(Array.from({ length: kept }, (_, index) => minute(surplus + index)));
});

/** One of long ago, about a node that is there no more. */
function finishedTakeover(index: number): Manifest {
  const id = `long-ago-${index}`;
  const record: TakeoverRecord = {
    version: 1,
    id,
    deathId: id,
    node: { name: 'node-of-old', uid: 'uid-of-old', bootId: '' },
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
