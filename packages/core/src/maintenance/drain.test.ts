// Whole drains on a small cluster in memory, through everything that can come in between.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KubernetesError } from '../kubernetes/errors.ts';
import { nodes } from '../kubernetes/resources.ts';
import { takeoverTaint } from '../marks/taints.ts';
import { startTrial } from '../testing/drain-trial.ts';
import { uncordon } from './cordon.ts';
import { previewDrain } from './drain.ts';

const refusal = { outcome: 'refused', budgets: ['web'], why: 'needs 2 and has 2', retryAfterMs: 0 } as const;

describe('a drain', () => {
  it('takes StatefulSet pods one by one, each Ready elsewhere with its volume before the next', async () => {
    const { clock, cluster, begin, storyOf } = startTrial();
    for (const name of ['web-0', 'web-2', 'web-1']) {
      cluster.putPod(name, { owner: 'StatefulSet/web', claim: `data-${name}` });
    }
    const draining = begin();
    await clock.advance(60_000);
    const drained = await draining;
    expect(cluster.evicted).toEqual(['web-2', 'web-1', 'web-0']);
    expect(cluster.mostInFlight).toBe(1);
    expect(storyOf('web-1').at(-1)).toBe('done: Ready on node-2 with volume volume-of-data-web-1');
    expect(drained).toMatchObject({
      moved: ['web-2', 'web-1', 'web-0'].map((name) => ({ pod: { name }, phase: 'done' })),
      holdMs: 3_600_000,
    });
  });

  it('takes all others side by side, but not more at once than it may', async () => {
    const { clock, cluster, begin } = startTrial();
    for (let i = 0; i < 7; i++) cluster.putPod(`web-${i}`);
    const draining = begin({ parallel: 3 });
    await clock.advance(1_000);
    expect(cluster.evicted).toHaveLength(3);
    await clock.advance(60_000);
    await draining;
    expect(cluster.evicted).toHaveLength(7);
  });

  it('changes nothing at all while something would be lost', async () => {
    const { cluster, begin } = startTrial();
    cluster.putPod('fine');
    cluster.putPod('naked', { owner: null });
    expect(await begin()).toMatchObject({
      code: 'LIBERATOR_DRAIN_REFUSED',
      cordoned: false,
      message: 'something would be lost with 1 pod of node-1, so nothing was done',
      pods: [{ pod: { name: 'naked' } }],
    });
    expect(cluster.evicted).toEqual([]);
    expect(cluster.nodes.get('node-1')?.spec?.unschedulable).toBeUndefined();
  });

  it('names the budget that refuses, lets others go first, and goes on once it allows', async () => {
    const { clock, cluster, begin, storyOf } = startTrial();
    cluster.putPod('web-0', { owner: 'StatefulSet/web' });
    cluster.putPod('db-0', { owner: 'StatefulSet/db' });
    let refuses = true;
    cluster.refuse = (pod) => (refuses && pod.metadata.name === 'db-0' ? refusal : undefined);
    const draining = begin();
    await clock.advance(30_000);
    expect(cluster.evicted).toEqual(['web-0']);
    expect(storyOf('db-0')).toEqual(['refused: PodDisruptionBudget web: needs 2 and has 2']);
    refuses = false;
    await clock.advance(30_000);
    await draining;
    expect(cluster.evicted).toEqual(['web-0', 'db-0']);
  });

  it('gives up after its time, and says what was in the way', async () => {
    const { clock, cluster, begin, mark } = startTrial();
    cluster.putPod('web-0', { owner: 'StatefulSet/web' });
    cluster.refuse = () => refusal;
    const draining = begin({ timeoutMs: 20_000 });
    await clock.advance(20_000);
    expect(await draining).toMatchObject({
      code: 'LIBERATOR_DRAIN_TIMEOUT',
      cordoned: true,
      message: 'node-1 was not drained within 20 s: 1 pod had still to go',
      pods: [{ phase: 'refused', detail: 'PodDisruptionBudget web: needs 2 and has 2' }],
    });
    expect(mark()).toMatchObject({ phase: 'draining', by: 'alice@laptop', holdSeconds: 300 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('stops when it is interrupted, leaves the node cordoned and held, and goes on when it is run again', async () => {
    const { clock, cluster, begin, stop, mark } = startTrial();
    for (const name of ['web-0', 'web-1']) cluster.putPod(name, { owner: 'StatefulSet/web' });
    const first = begin();
    await clock.advance(1_000);
    stop.abort();
    expect(await first).toMatchObject({ code: 'LIBERATOR_DRAIN_INTERRUPTED', cordoned: true });
    expect(cluster.evicted).toEqual(['web-1']);
    expect(cluster.nodes.get('node-1')?.spec?.unschedulable).toBe(true);
    expect(mark()?.phase).toBe('draining');
    expect(clock.pendingTimers).toBe(1);

    const second = begin({ signal: new AbortController().signal });
    await clock.advance(60_000);
    expect(await second).toMatchObject({ moved: expect.any(Array) });
    expect(cluster.evicted).toEqual(['web-1', 'web-0']);
    expect(mark()?.phase).toBe('drained');
  });

  it.each([
    ['while its pod still leaves', 1_000],
    ['while its replacement starts', 3_000],
  ])('goes on only when the pod of the drain before it has arrived: interrupted %s', async (_, afterMs) => {
    const { clock, cluster, begin, stop, mark, storyOf } = startTrial();
    for (const name of ['web-0', 'web-1']) {
      cluster.putPod(name, { owner: 'StatefulSet/web', claim: `data-${name}` });
    }
    const first = begin();
    await clock.advance(afterMs);
    stop.abort();
    await first;
    expect(mark()?.moving).toMatchObject({ namespace: 'default', name: 'web-1', statefulSet: 'web' });
    const second = begin({ signal: new AbortController().signal });
    await clock.advance(60_000);
    expect(await second).toMatchObject({ moved: expect.any(Array) });
    expect(cluster.evicted).toEqual(['web-1', 'web-0']);
    expect(cluster.mostInFlight).toBe(1);
    expect(storyOf('web-1').at(-1)).toBe('done: Ready on node-2 with volume volume-of-data-web-1');
    expect(mark()?.moving).toBeUndefined();
  });

  it('puts on record who leaves before it asks, and asks again when that could not be written', async () => {
    const { clock, cluster, begin, mark } = startTrial();
    cluster.putPod('web-0', { owner: 'StatefulSet/web' });
    let writes = 0;
    let recorded: string | undefined;
    const busy = new KubernetesError({ verb: 'patch', resource: nodes }, { status: 503 });
    cluster.before = (method) => {
      if (method === 'changeNode' && ++writes === 2) throw busy;
      if (method === 'evict') recorded = mark()?.moving?.name;
    };
    const draining = begin();
    await clock.advance(30_000);
    expect(await draining).toMatchObject({ moved: [{ phase: 'done' }] });
    expect(recorded).toBe('web-0');
  });

  it('leaves pods alone that come again and again, and names them', async () => {
    const { clock, cluster, begin } = startTrial();
    cluster.putPod('stubborn-0', { owner: 'StatefulSet/other' });
    let count = 0;
    cluster.refuse = () => {
      if (count < 9) cluster.putPod(`again-${count++}`);
      return undefined;
    };
    const draining = begin();
    await clock.advance(60_000);
    expect(await draining).toMatchObject({ returned: [{ name: expect.stringMatching(/^again-/) }] });
    expect(cluster.evicted.length).toBeLessThan(9);
  });

  it.each([
    [{ parallel: 0 }, 'expected parallel to be a whole number, 1 or more, found 0'],
    [{ timeoutMs: 0 }, 'expected timeoutMs to be more than 0, found 0'],
    [{ holdMs: 86_400_001 }, 'expected holdMs to be from 0 to 24 h, found 86400001'],
    [{ gracePeriodSeconds: 0.5 }, 'expected gracePeriodSeconds to be a whole number, 0 or more, found 0.5'],
  ])('refuses %j before it does anything', async (options, message) => {
    const { cluster, begin } = startTrial();
    expect(await begin(options)).toEqual(new RangeError(message));
    expect(cluster.nodes.get('node-1')?.spec).toBeUndefined();
  });

  it('does nothing when it is interrupted before it begins', async () => {
    const { cluster, begin, stop } = startTrial();
    stop.abort();
    expect(await begin()).toMatchObject({ code: 'LIBERATOR_DRAIN_INTERRUPTED', cordoned: false });
    expect(cluster.nodes.get('node-1')?.spec).toBeUndefined();
  });

  it('renews its mark as long as it goes on, and then leaves one for the work to be done', async () => {
    const { clock, cluster, begin, mark } = startTrial();
    cluster.putPod('web-0', { owner: 'StatefulSet/web' });
    cluster.refuse = () => refusal;
    const draining = begin({ holdMs: 7_200_000 });
    await clock.advance(1_000);
    const first = mark();
    await clock.advance(60_000);
    expect(Date.parse(mark()?.renewed ?? '')).toBeGreaterThanOrEqual(
      Date.parse(first?.renewed ?? '') + 30_000,
    );
    expect(mark()?.since).toBe(first?.since);
    cluster.refuse = () => undefined;
    await clock.advance(60_000);
    await draining;
    expect(mark()).toMatchObject({ phase: 'drained', holdSeconds: 7_200 });
  });

  it('stops as soon as somebody uncordons the node', async () => {
    const { clock, cluster, begin, mark } = startTrial();
    cluster.putPod('web-0', { owner: 'StatefulSet/web' });
    cluster.refuse = () => refusal;
    const draining = begin();
    await clock.advance(2_000);
    const undone = await uncordon({ cluster, node: 'node-1' });
    expect(undone).toMatchObject({ changed: true, endedDrain: { by: 'alice@laptop' } });
    await clock.advance(10_000);
    expect(await draining).toMatchObject({ code: 'LIBERATOR_UNCORDONED' });
    expect(mark()).toBeUndefined();
    cluster.refuse = () => undefined;
    await clock.advance(60_000);
    expect(cluster.evicted).toEqual([]);
  });

  it('says who else had begun to drain the node', async () => {
    const { clock, cluster, begin, heard } = startTrial();
    cluster.putPod('web-0');
    const bob = begin({ by: 'bob@desk', timeoutMs: 1 });
    await clock.advance(1);
    await bob;
    const alice = begin();
    await clock.advance(30_000);
    await alice;
    expect(heard).toContainEqual({ type: 'joined', by: 'bob@desk', since: expect.any(String) });
  });

  it('has nothing to do with a node that is being taken over, or silent, or not there', async () => {
    const { cluster, begin } = startTrial();
    cluster.putNode('node-1', { spec: { taints: [takeoverTaint('t')] } });
    expect(await begin()).toMatchObject({ code: 'LIBERATOR_NODE_BUSY', cordoned: false });
    cluster.putNode('node-1', { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } });
    expect(await begin()).toMatchObject({ code: 'LIBERATOR_NODE_BUSY', cordoned: false });
    cluster.nodes.clear();
    expect(await begin()).toMatchObject({ code: 'LIBERATOR_NODE_NOT_FOUND', cordoned: false });
  });

  it('goes on holding a node that dies meanwhile, and says so', async () => {
    const { clock, cluster, begin, heard, mark } = startTrial();
    cluster.putPod('web-0', { owner: 'StatefulSet/web' });
    cluster.refuse = () => refusal;
    const draining = begin({ timeoutMs: 120_000 });
    await clock.advance(10_000);
    const status = { conditions: [{ type: 'Ready', status: 'Unknown' as const }] };
    cluster.changeNodeAside('node-1', (node) => ({ ...node, status }));
    const before = mark()?.renewed ?? '';
    await clock.advance(60_000);
    expect(heard).toContainEqual({ type: 'node', reporting: false });
    expect(Date.parse(mark()?.renewed ?? '')).toBeGreaterThan(Date.parse(before));
    await clock.advance(60_000);
    await draining;
  });

  it('waits for no replacement that the set does not want any more', async () => {
    const { clock, cluster, begin, storyOf } = startTrial();
    cluster.putPod('web-3', { owner: 'StatefulSet/web' });
    cluster.scale('web', 3);
    const draining = begin();
    await clock.advance(10_000);
    expect(await draining).toMatchObject({ moved: [{ phase: 'done' }] });
    expect(storyOf('web-3').at(-1)).toBe('done: gone; StatefulSet web wants it no more');
  });

  it('does not take a replacement with another volume for the pod that left', async () => {
    const { clock, cluster, begin } = startTrial();
    cluster.putPod('web-0', { owner: 'StatefulSet/web', claim: 'data' });
    const draining = begin({ timeoutMs: 30_000 });
    await clock.advance(1_000);
    cluster.bind('data', 'an-empty-one');
    await clock.advance(30_000);
    expect(await draining).toMatchObject({
      code: 'LIBERATOR_DRAIN_TIMEOUT',
      pods: [
        {
          detail: 'Ready on node-2, but claim data has volume an-empty-one instead of volume-of-data',
        },
      ],
    });
  });

  it('says why a replacement has no node', async () => {
    const { clock, cluster, begin } = startTrial();
    cluster.putPod('web-0', { owner: 'StatefulSet/web' });
    cluster.replacementNode = undefined;
    const draining = begin({ timeoutMs: 30_000 });
    await clock.advance(30_000);
    expect(await draining).toMatchObject({ pods: [{ phase: 'replacing', detail: 'not scheduled yet' }] });
  });

  it('takes a pod that was on its way to the node when it was cordoned', async () => {
    const { clock, cluster, begin } = startTrial();
    cluster.putPod('web-0');
    const draining = begin();
    await clock.advance(1_000);
    cluster.putPod('late');
    await clock.advance(30_000);
    expect(await draining).toMatchObject({ moved: [{ pod: { name: 'web-0' } }, { pod: { name: 'late' } }] });
  });

  it('ends with what the server does not allow, says that the node stays cordoned, and nothing goes on', async () => {
    const { clock, cluster, begin } = startTrial();
    cluster.putPod('web-0');
    const forbidden = new KubernetesError({ verb: 'get', resource: nodes }, { status: 403 });
    cluster.before = (method) => {
      if (method === 'readPod') throw forbidden;
    };
    expect(await begin()).toMatchObject({
      code: 'LIBERATOR_DRAIN_FAILED',
      cause: forbidden,
      cordoned: true,
      pods: [{ pod: { name: 'web-0' } }],
      message: expect.stringContaining(forbidden.message),
    });
    expect(clock.pendingTimers).toBe(0);
  });

  it('that may not even begin fails with the answer as it came', async () => {
    const { cluster, begin } = startTrial();
    const forbidden = new KubernetesError({ verb: 'get', resource: nodes }, { status: 403 });
    cluster.before = () => {
      throw forbidden;
    };
    expect(await begin()).toBe(forbidden);
  });

  it('previews without changing anything', async () => {
    const { cluster } = startTrial();
    cluster.putPod('web-0', { emptyDir: true });
    const plan = await previewDrain({ cluster, node: 'node-1' });
    expect(plan).toMatchObject([{ name: 'web-0', action: 'refuse' }]);
    expect(cluster.nodes.get('node-1')?.metadata.resourceVersion).toBe('1');
  });

  it('never has two StatefulSet pods on their way, evicts nobody twice, and ends, whatever fails in between', async () => {
    const pod = fc.record({
      owner: fc.constantFrom('StatefulSet/web', 'StatefulSet/db', 'ReplicaSet/app', 'DaemonSet/log'),
      refusals: fc.nat(3),
    });
    const runs = fc.record({
      pods: fc.array(pod, { maxLength: 8 }),
      failures: fc.array(fc.nat(120), { maxLength: 12 }),
    });
    const busy = new KubernetesError({ verb: 'get', resource: nodes }, { status: 503 });
    await fc.assert(
      fc.asyncProperty(runs, async ({ pods, failures }) => {
        const { clock, cluster, begin } = startTrial();
        const refusals = new Map<string, number>();
        pods.forEach(({ owner, refusals: count }, index) => {
          const name = `${owner.split('/')[1]}-${index}`;
          cluster.putPod(name, { owner });
          refusals.set(name, count);
        });
        cluster.refuse = ({ metadata: { name } }) => {
          const left = refusals.get(name) ?? 0;
          refusals.set(name, left - 1);
          return left > 0 ? refusal : undefined;
        };
        // The first two look before anything is touched, and their failure is told at once.
        let calls = -2;
        const broken = new Set(failures);
        cluster.before = () => {
          if (broken.has(calls++)) throw busy;
        };
        const draining = begin();
        await clock.advance(600_000);
        const end = await draining;
        expect(cluster.mostInFlight).toBeLessThanOrEqual(1);
        expect(new Set(cluster.evicted).size).toBe(cluster.evicted.length);
        expect(cluster.evicted.some((name) => name.startsWith('log-'))).toBe(false);
        expect(end).not.toBeInstanceOf(Error);
        const expected = pods.filter(({ owner }) => owner !== 'DaemonSet/log').length;
        expect(cluster.evicted).toHaveLength(expected);
        expect(cluster.nodes.get('node-1')?.spec?.unschedulable).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
