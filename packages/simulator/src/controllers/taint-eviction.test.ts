// Pods leave tainted nodes when, and only when, their tolerations are used up.
import { expect, test } from 'vitest';
import { startTrial } from '../testing/trial-cluster.ts';
import { toleratedMs } from './taint-eviction.ts';

const taint = { key: 'k', value: 'v', effect: 'NoExecute' } as const;

test.each([
  ['no tolerations', [], 0],
  ['another key', [{ key: 'other', operator: 'Exists' }], 0],
  ['another value', [{ key: 'k', value: 'w' }], 0],
  ['the same value', [{ key: 'k', value: 'v' }], Number.POSITIVE_INFINITY],
  ['any value', [{ key: 'k', operator: 'Exists' }], Number.POSITIVE_INFINITY],
  ['everything', [{ operator: 'Exists' }], Number.POSITIVE_INFINITY],
  ['another effect', [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }], 0],
  ['a time', [{ key: 'k', operator: 'Exists', tolerationSeconds: 7 }], 7_000],
  [
    'several times',
    [
      { operator: 'Exists', tolerationSeconds: 9 },
      { key: 'k', operator: 'Exists', tolerationSeconds: 7 },
    ],
    7_000,
  ],
  [
    'a time and for ever',
    [{ operator: 'Exists' }, { key: 'k', operator: 'Exists', tolerationSeconds: 7 }],
    7_000,
  ],
  ['a negative time', [{ key: 'k', operator: 'Exists', tolerationSeconds: -1 }], 0],
])('a pod that tolerates %s', (_, tolerations, ms) => {
  expect(toleratedMs([taint], tolerations)).toBe(ms);
});

test('a pod without a toleration leaves at once and says why', async () => {
  await using cluster = await startTrial();
  await cluster.createSet('web', { replicas: 1 });
  const before = cluster.pod('web-0');
  const nodeName = cluster.nodeOf('web-0');
  cluster.taint(nodeName, 'example.com/away', 'NoExecute');
  await cluster.until(() => cluster.terminating('web-0'), 1_000);
  expect(cluster.pod('web-0')?.status?.conditions).toContainEqual(
    expect.objectContaining({ type: 'DisruptionTarget', reason: 'DeletionByTaintManager' }),
  );
  await cluster.until(() => cluster.podReady('web-0'), 10_000);
  expect(cluster.pod('web-0')?.metadata.uid).not.toBe(before?.metadata.uid);
  expect(cluster.nodeOf('web-0')).not.toBe(nodeName);
});

test('a toleration counts from the taint, and its end is called off when the taint goes', async () => {
  await using cluster = await startTrial();
  const tolerations = [{ key: 'example.com/away', operator: 'Exists', tolerationSeconds: 60 }];
  for (const name of ['a', 'b']) cluster.createPod(name, { tolerations });
  await cluster.until(() => cluster.podReady('a') && cluster.podReady('b'));
  const [first, second] = [cluster.nodeOf('a'), cluster.nodeOf('b')];
  expect(first).not.toBe(second);
  cluster.taint(first, 'example.com/away', 'NoExecute');
  cluster.taint(second, 'example.com/away', 'NoExecute');
  await cluster.clock.advance(30_000);
  cluster.client.change('nodes', { metadata: { name: second } }, (draft) => {
    draft.spec = { ...draft.spec, taints: [] };
    return true;
  });
  await cluster.clock.advance(29_900);
  expect(cluster.terminating('a')).toBe(false);
  await cluster.clock.advance(200);
  expect(cluster.terminating('a')).toBe(true);
  await cluster.clock.advance(600_000);
  expect(cluster.podReady('b')).toBe(true);
});
