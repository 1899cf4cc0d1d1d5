import { describe, expect, it } from 'vitest';
import type { AffectedVolume } from '../pods/affected-pod.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { MemoryMaintenance, type PodOptions } from '../testing/memory-maintenance.ts';
import { type DrainRules, planDrain } from './plan.ts';

const node = { name: 'node-1', hostname: 'node-1' };
const cluster = new MemoryMaintenance(new ManualClock());
const here: readonly AffectedVolume[] = [{ claim: 'data', volume: 'disk', pinnedTo: ['node-1'] }];
const elsewhereToo: readonly AffectedVolume[] = [
  { claim: 'data', volume: 'disk', pinnedTo: ['node-1', 'b'] },
];

function planOf(
  options: PodOptions & { volumes?: readonly AffectedVolume[]; terminating?: boolean },
  rules?: DrainRules,
): { action: string; reason: string; awaits: string } | undefined {
  const { volumes = [], terminating = false, ...others } = options;
  const pod = cluster.putPod('web-0', others);
  const metadata = { ...pod.metadata, ...(terminating && { deletionTimestamp: 'now' }) };
  const [plan] = planDrain(node, [{ pod: { ...pod, metadata }, volumes }], rules);
  return plan && { action: plan.action, reason: plan.reason, awaits: plan.awaits };
}

describe('the plan of a drain', () => {
  it.each([
    {
      what: 'a static pod',
      options: { annotations: { 'kubernetes.io/config.mirror': 'x' }, owner: 'Node/n' },
    },
    { what: 'a DaemonSet pod', options: { owner: 'DaemonSet/log' } },
    { what: 'a DaemonSet pod with emptyDir data', options: { owner: 'DaemonSet/log', emptyDir: true } },
    {
      what: 'a static pod with emptyDir data',
      options: { annotations: { 'kubernetes.io/config.mirror': '' } },
    },
  ])('leaves $what where it belongs', ({ options }) => {
    expect(planOf(options)?.action).toBe('skip');
    expect(planOf(options, { force: true, deleteEmptyDirData: true })?.action).toBe('skip');
  });

  it.each([
    { what: 'an unmanaged pod', options: { owner: null }, force: true, deleteEmptyDirData: false },
    { what: 'emptyDir data', options: { emptyDir: true }, force: false, deleteEmptyDirData: true },
    {
      what: 'a pod whose volume is pinned',
      options: { volumes: here },
      force: true,
      deleteEmptyDirData: false,
    },
    { what: 'both', options: { owner: null, emptyDir: true }, force: true, deleteEmptyDirData: true },
  ])('refuses $what unless told', ({ options, force, deleteEmptyDirData }) => {
    expect(planOf(options)?.action).toBe('refuse');
    expect(planOf(options, { force, deleteEmptyDirData })?.action).toBe('evict');
    if (force) expect(planOf(options, { deleteEmptyDirData: true })?.action).toBe('refuse');
    if (deleteEmptyDirData) expect(planOf(options, { force: true })?.action).toBe('refuse');
  });

  it('tells every loss and the flag that accepts it', () => {
    expect(planOf({ owner: null, emptyDir: true, volumes: here })?.reason).toBe(
      'nobody would make it anew (--force); volume disk can only be used on this node (--force); ' +
        'its emptyDir data would be lost (--delete-emptydir-data)',
    );
  });

  it('waits for the replacement of StatefulSet pods, and of no others', () => {
    expect(planOf({ owner: 'StatefulSet/web' })).toMatchObject({ action: 'evict', awaits: 'elsewhere' });
    expect(planOf({ owner: 'ReplicaSet/web' })).toMatchObject({ action: 'evict', awaits: 'nothing' });
    expect(planOf({ owner: 'StatefulSet/web', terminating: true })).toMatchObject({
      action: 'await',
      awaits: 'elsewhere',
    });
  });

  it('waits for no replacement that can run nowhere else', () => {
    const pinned = { owner: 'StatefulSet/web', volumes: here };
    expect(planOf(pinned, { force: true })).toMatchObject({ action: 'evict', awaits: 'nothing' });
    const free = { owner: 'StatefulSet/web', volumes: elsewhereToo };
    expect(planOf(free)).toMatchObject({ action: 'evict', awaits: 'elsewhere' });
  });

  it('minds no loss with a pod that has finished or is going already', () => {
    expect(planOf({ owner: null, emptyDir: true, phase: 'Succeeded' })?.action).toBe('evict');
    expect(planOf({ owner: null, emptyDir: true, terminating: true })?.action).toBe('await');
  });

  it('lets what is going already arrive before anything else is asked to go', () => {
    const going = cluster.putPod('web-0', { owner: 'StatefulSet/web' });
    const metadata = { ...going.metadata, deletionTimestamp: 'now' };
    const pods = [cluster.putPod('web-1', { owner: 'StatefulSet/web' }), { ...going, metadata }];
    const plan = planDrain(
      node,
      pods.map((pod) => ({ pod, volumes: [] })),
    );
    expect(plan.map(({ name, action }) => `${action} ${name}`)).toEqual(['await web-0', 'evict web-1']);
  });

  it('takes a set from its highest ordinal down, by number, and names refusals first', () => {
    const names = ['web-2', 'web-10', 'web-0'].map((name) =>
      cluster.putPod(name, { owner: 'StatefulSet/web' }),
    );
    const others = [
      cluster.putPod('log', { owner: 'DaemonSet/log' }),
      cluster.putPod('app', {}),
      cluster.putPod('naked', { owner: null }),
    ];
    const plan = planDrain(
      node,
      [...others, ...names].map((pod) => ({ pod, volumes: [] })),
    );
    expect(plan.map(({ name }) => name)).toEqual(['naked', 'web-10', 'web-2', 'web-0', 'app', 'log']);
  });
});
