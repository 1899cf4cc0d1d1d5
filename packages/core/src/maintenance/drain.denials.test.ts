// Drains that something refuses: what the refusal is about, whether waiting helps, and what moves all the same.
import { describe, expect, it } from 'vitest';
import { KubernetesError } from '../kubernetes/errors.ts';
import { pods } from '../kubernetes/resources.ts';
import { startTrial } from '../testing/drain-trial.ts';

const refusal = { outcome: 'refused', budgets: ['web'], why: 'needs 2 and has 2', retryAfterMs: 0 } as const;
const words = 'admission webhook "keep.example.com" denied the request: the database is syncing';

describe('a pod that went by another hand while a budget refused', () => {
  it('is found gone at the next look, and its namesake is not asked to go', async () => {
    const { clock, cluster, begin, storyOf } = startTrial();
    const old = cluster.putPod('web-0', { owner: 'StatefulSet/web' });
    cluster.refuse = () => refusal;
    let asked = 0;
    cluster.before = (method) => {
      if (method === 'evict') asked += 1;
    };
    const draining = begin();
    await clock.advance(500);
    expect(asked).toBe(1);
    cluster.putPod('web-0', { owner: 'StatefulSet/web', node: 'node-2' });
    await clock.advance(6_000);
    expect(await draining).toMatchObject({
      moved: [{ pod: { uid: old.metadata.uid }, phase: 'done', detail: 'Ready on node-2' }],
    });
    expect(asked).toBe(1);
    expect(storyOf('web-0')).toEqual([
      'refused: PodDisruptionBudget web: needs 2 and has 2',
      'done: Ready on node-2',
    ]);
  });

  it('is found gone when nobody made another', async () => {
    const { clock, cluster, begin } = startTrial();
    cluster.putPod('web');
    cluster.refuse = () => refusal;
    const draining = begin();
    await clock.advance(500);
    cluster.pods.delete('default/web');
    await clock.advance(6_000);
    expect(await draining).toMatchObject({ moved: [{ phase: 'done', detail: 'gone' }] });
  });

  it('is waited for, and not asked again, when it is on its way', async () => {
    const { clock, cluster, begin } = startTrial();
    const pod = cluster.putPod('web');
    let asked = 0;
    cluster.refuse = () => refusal;
    cluster.before = (method) => {
      if (method === 'evict') asked += 1;
    };
    const draining = begin();
    await clock.advance(500);
    cluster.pods.set('default/web', {
      ...pod,
      metadata: { ...pod.metadata, deletionTimestamp: '2030-01-01T00:00:30Z' },
    });
    await clock.advance(10_000);
    expect(asked).toBe(1);
    cluster.pods.delete('default/web');
    await clock.advance(2_000);
    expect(await draining).toMatchObject({ moved: [{ phase: 'done' }] });
  });
});

describe('a pod that something forbids to go', () => {
  it('holds up no other, and is named with the words of whoever forbids it', async () => {
    const { clock, cluster, begin, storyOf } = startTrial();
    cluster.putPod('aside');
    for (const name of ['web-0', 'web-1', 'web-2']) cluster.putPod(name, { owner: 'StatefulSet/web' });
    cluster.putPod('z-last');
    cluster.forbids = ({ metadata: { name } }) =>
      name === 'aside' || name === 'web-2' ? { message: words } : undefined;
    const draining = begin();
    await clock.advance(120_000);
    expect(await draining).toMatchObject({
      code: 'LIBERATOR_DRAIN_DENIED',
      cordoned: true,
      message: '2 pods of node-1 may not go, all others have moved',
      cause: { status: 403, said: words },
    });
    expect(
      ((await draining) as { pods: readonly { pod: { name: string }; detail: string }[] }).pods,
    ).toMatchObject([
      { pod: { name: 'web-2' }, phase: 'refused', detail: `the API server does not allow it: ${words}` },
      { pod: { name: 'aside' }, phase: 'refused', detail: `the API server does not allow it: ${words}` },
    ]);
    expect(cluster.evicted.toSorted()).toEqual(['web-0', 'web-1', 'z-last']);
    // Said once, however often it was tried.
    expect(storyOf('aside')).toHaveLength(1);
    expect(cluster.nodes.get('node-1')?.spec?.unschedulable).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('goes when it is allowed while others are still on their way', async () => {
    const { clock, cluster, begin } = startTrial();
    for (const name of ['web-0', 'web-1', 'web-2']) cluster.putPod(name, { owner: 'StatefulSet/web' });
    let allowed = false;
    cluster.forbids = ({ metadata: { name } }) =>
      name === 'web-2' && !allowed ? { message: words } : undefined;
    const draining = begin();
    await clock.advance(4_000);
    allowed = true;
    await clock.advance(60_000);
    expect(await draining).toMatchObject({ moved: [{}, {}, {}] });
    expect(cluster.mostInFlight).toBe(1);
  });

  it('is not given up because of one denial among refusals', async () => {
    const { clock, cluster, begin } = startTrial();
    cluster.putPod('web');
    let count = 0;
    cluster.forbids = () => (++count % 3 === 0 ? undefined : { message: words });
    cluster.refuse = () => (count < 12 ? refusal : undefined);
    const draining = begin();
    await clock.advance(300_000);
    expect(await draining).toMatchObject({ moved: [{ phase: 'done' }] });
  });
});

describe('a server that has no time', () => {
  it('is quoted', async () => {
    const { clock, cluster, begin, storyOf } = startTrial();
    cluster.putPod('web');
    let count = 0;
    cluster.refuse = () =>
      ++count === 1
        ? { outcome: 'busy', why: 'too many requests, please try again later', retryAfterMs: 0 }
        : undefined;
    cluster.before = (method) => {
      const body = { message: 'failed calling webhook "keep.example.com": connection refused' };
      if (method === 'evict' && count === 1 && !quoted) {
        quoted = true;
        throw new KubernetesError({ verb: 'create', resource: pods, name: 'web' }, { status: 500, body });
      }
    };
    let quoted = false;
    const draining = begin();
    await clock.advance(30_000);
    expect(await draining).toMatchObject({ moved: [{ phase: 'done' }] });
    expect(storyOf('web').slice(0, 2)).toEqual([
      'refused: the API server asks to come back later: too many requests, please try again later',
      'refused: the API server can’t do it now: failed calling webhook "keep.example.com": connection refused',
    ]);
  });
});
