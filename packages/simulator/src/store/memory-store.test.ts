import { describe, expect, it } from 'vitest';
import { seededRandom } from '../time/seeded-random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { createStore } from './memory-store.ts';
import { resources } from './resources.ts';
import { StatusError } from './status-error.ts';
import type { ServerStore, StoreEvent } from './store.ts';

const context = { user: 'tester' };
const podOn = (nodeName: string | undefined, name = 'web-0'): object => ({
  metadata: { name, namespace: 'default' },
  spec: { ...(nodeName === undefined ? {} : { nodeName }), containers: [{ name: 'main', image: 'app:1' }] },
});

function open(seed = 1): { store: ServerStore; clock: VirtualClock } {
  const clock = new VirtualClock();
  return { store: createStore({ clock, random: seededRandom(seed) }), clock };
}

function statusOf(act: () => unknown): StatusError['status'] {
  try {
    act();
  } catch (error) {
    if (error instanceof StatusError) return error.status;
    throw error;
  }
  throw new Error('expected a StatusError, found success');
}

describe('the store', () => {
  it('gives a new object a uid, a resourceVersion and the time of the clock', () => {
    const { store } = open();
    const node = store.create(resources.nodes, { metadata: { name: 'n1' } }, context);
    expect(node).toMatchObject({ apiVersion: 'v1', kind: 'Node' });
    expect(node.metadata.uid).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(node.metadata.creationTimestamp).toBe('2026-01-01T00:00:00Z');
    expect(Number(node.metadata.resourceVersion)).toBe(store.resourceVersion());
  });

  it('gives the same uids in a second run with the same seed', () => {
    const [first, second] = [open(7), open(7)].map(({ store }) =>
      store.create(resources.nodes, { metadata: { generateName: 'n-' } }, context),
    );
    expect(second).toEqual(first);
  });

  it('never lets a reader change what is stored', () => {
    const { store } = open();
    const labels = { app: 'web' };
    const node = store.create(resources.nodes, { metadata: { name: 'n1', labels } }, context);
    labels.app = 'other';
    expect(() => Object.assign(node.metadata, { name: 'n2' })).toThrow(TypeError);
    expect(store.get(resources.nodes, undefined, 'n1').metadata.labels).toEqual({ app: 'web' });
  });

  it('refuses a replacement that names an old resourceVersion', () => {
    const { store } = open();
    const old = store.create(resources.nodes, { metadata: { name: 'n1' } }, context);
    store.update(resources.nodes, { ...old, spec: { unschedulable: true } }, context);
    expect(statusOf(() => store.update(resources.nodes, old, context))).toMatchObject({
      code: 409,
      reason: 'Conflict',
    });
  });

  it('keeps the resourceVersion when a write changes nothing', () => {
    const { store } = open();
    const node = store.create(resources.nodes, { metadata: { name: 'n1' } }, context);
    expect(
      store.update(resources.nodes, { ...node, spec: { ...(node.spec as object), podCIDR: null } }, context),
    ).toBe(node);
  });

  it('writes status only through the status subresource, and nothing else through it', () => {
    const { store } = open();
    const labels = { app: 'web' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'app:1' }] } };
    const spec = { replicas: 3, selector: { matchLabels: labels }, template };
    const set = { metadata: { name: 'web', namespace: 'default' }, spec };
    const made = store.create(resources.statefulsets, set, context);
    const changed = { ...made, spec: { ...(made.spec as object), replicas: 5 }, status: { replicas: 2 } };
    const main = store.update(resources.statefulsets, changed, context);
    expect(main).toMatchObject({
      metadata: { generation: 2 },
      spec: { replicas: 5 },
      status: { replicas: 0 },
    });
    const status = store.modify<{ spec: { replicas: number }; status: { replicas: number } }>(
      resources.statefulsets,
      'default',
      'web',
      (draft) => {
        draft.spec.replicas = 9;
        draft.status.replicas = 2;
        return true;
      },
      context,
      'status',
    );
    expect(status).toMatchObject({
      metadata: { generation: 2 },
      spec: { replicas: 5 },
      status: { replicas: 2 },
    });
  });

  it('tells watchers of each change in order, never within the write', async () => {
    const { store } = open();
    const heard: string[] = [];
    const stop = store.watch(resources.nodes, (event: StoreEvent) =>
      heard.push(`${event.type} ${event.object.metadata.resourceVersion}`),
    );
    const node = store.create(resources.nodes, { metadata: { name: 'n1' } }, context);
    store.update(resources.nodes, { ...node, spec: { unschedulable: true } }, context);
    store.delete(resources.nodes, undefined, 'n1', {}, context);
    expect(heard).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    const version = store.resourceVersion();
    expect(heard).toEqual([`ADDED ${version - 2}`, `MODIFIED ${version - 1}`, `DELETED ${version}`]);
    stop();
    store.create(resources.nodes, { metadata: { name: 'n2' } }, context);
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toHaveLength(3);
  });
});

describe('deleting a pod', () => {
  it('leaves a pod on a node to its kubelet, which confirms with a grace of 0', () => {
    const { store, clock } = open();
    store.create(resources.pods, podOn('n1'), context);
    const marked = store.delete(resources.pods, 'default', 'web-0', {}, context);
    expect(marked.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:30Z',
      deletionGracePeriodSeconds: 30,
    });
    clock.jumpWallTime(5_000);
    expect(store.delete(resources.pods, 'default', 'web-0', {}, context)).toBe(marked);
    store.delete(resources.pods, 'default', 'web-0', { gracePeriodSeconds: 0 }, context);
    expect(store.find(resources.pods, 'default', 'web-0')).toBeUndefined();
  });

  it('removes at once what no kubelet runs: pods without a node and finished ones', () => {
    const { store } = open();
    store.create(resources.pods, podOn(undefined, 'pending'), context);
    store.delete(resources.pods, 'default', 'pending', {}, context);
    store.create(resources.pods, podOn('n1', 'done'), context);
    const finish = (draft: { status: { phase: string } }): boolean => {
      draft.status.phase = 'Succeeded';
      return true;
    };
    store.modify(resources.pods, 'default', 'done', finish, context, 'status');
    store.delete(resources.pods, 'default', 'done', {}, context);
    expect(store.list(resources.pods)).toEqual([]);
  });

  it('does nothing when the uid in the precondition is another', () => {
    const { store } = open();
    store.create(resources.pods, podOn('n1'), context);
    const options = { gracePeriodSeconds: 0, preconditions: { uid: 'other' } };
    expect(statusOf(() => store.delete(resources.pods, 'default', 'web-0', options, context))).toMatchObject({
      code: 409,
      reason: 'Conflict',
      details: { name: 'web-0' },
    });
    expect(store.list(resources.pods)).toHaveLength(1);
  });

  it('waits for the last finalizer', () => {
    const { store } = open();
    const finalizers = ['example.com/hold'];
    store.create(resources.nodes, { metadata: { name: 'n1', finalizers } }, context);
    const held = store.delete(resources.nodes, undefined, 'n1', {}, context);
    expect(held.metadata.deletionTimestamp).toBeDefined();
    const release = (draft: { metadata: { finalizers?: string[] } }): boolean =>
      delete draft.metadata.finalizers;
    store.modify(resources.nodes, undefined, 'n1', release, context);
    expect(store.find(resources.nodes, undefined, 'n1')).toBeUndefined();
  });
});

describe('binding', () => {
  it('gives a pod to a node once', () => {
    const { store } = open();
    store.create(resources.pods, podOn(undefined), context);
    expect(store.bind('default', 'web-0', 'n1', context)).toMatchObject({ spec: { nodeName: 'n1' } });
    expect(statusOf(() => store.bind('default', 'web-0', 'n2', context))).toMatchObject({ code: 409 });
  });
});

describe('the past', () => {
  it('can be read until it is compacted', () => {
    const { store } = open();
    store.create(resources.nodes, { metadata: { name: 'n1' } }, context);
    const then = store.resourceVersion();
    store.create(resources.nodes, { metadata: { name: 'n2' } }, context);
    store.delete(resources.nodes, undefined, 'n1', {}, context);
    expect(store.snapshot(resources.nodes, then).objects.map((one) => one.metadata.name)).toEqual(['n1']);
    expect(store.eventsAfter(resources.nodes, then, 10).map((one) => one.type)).toEqual(['ADDED', 'DELETED']);
    store.compact();
    expect(statusOf(() => store.snapshot(resources.nodes, then))).toMatchObject({
      code: 410,
      reason: 'Expired',
    });
    expect(statusOf(() => store.eventsAfter(resources.nodes, then, 10))).toMatchObject({ code: 410 });
  });
});
