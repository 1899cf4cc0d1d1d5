// Pods as takeovers read and delete them, and what Kubernetes makes of that: evictions, new pods, volumes.
import { type LeaderTerm, type LiveRead, outOfServiceTaint, type Pod } from '@liberator/core';
import { describe, expect, test } from 'vitest';
import { finalizer, namespace, type TakeoverPort, type Within } from './takeover-port.ts';
import { readNode } from './takeover-port-nodes.ts';

export function describePodWrites(within: Within): void {
  describe('the pods of a node', () => {
    test('are those that are bound to it, of all namespaces', () =>
      within(async (port) => {
        const term = port.term(1);
        port.addPod('here', 'node-1');
        port.addPod('there', 'node-2');
        const listed = await port.cluster.listPodsOn(term, 'node-1');
        expect(listed.map(({ object }) => object.metadata.name)).toEqual(
          expect.arrayContaining(['db-0', 'here']),
        );
        expect(listed.map(({ object }) => object.metadata.name)).not.toContain('there');
        expect(new Set(listed.map((live) => live.term))).toEqual(new Set([term]));
        expect(listed.map(({ object }) => object.spec?.nodeName)).toEqual(listed.map(() => 'node-1'));
        expect(await port.cluster.listPodsOn(term, 'nobody')).toEqual([]);
      }));

    test('are none of those whose name alone is known: what is not there is undefined', () =>
      within(async ({ cluster, ...port }) => {
        const term = port.term(1);
        expect((await cluster.readPod(term, namespace, 'db-0'))?.spec?.nodeName).toBe('node-1');
        expect(await cluster.readPod(term, namespace, 'nobody')).toBeUndefined();
        expect(await cluster.readPod(term, 'default', 'db-0')).toBeUndefined();
        expect(await cluster.readClaim(term, namespace, 'nothing')).toBeUndefined();
        expect(await cluster.readVolume(term, 'nothing')).toBeUndefined();
        expect(await cluster.readStatefulSet(term, namespace, 'nothing')).toBeUndefined();
        expect(await cluster.readNamespace(term, 'nowhere')).toBeUndefined();
      }));

    test('are read by their names at once, whoever has labelled them', () =>
      within(async (port) => {
        const term = port.term(1);
        port.addPod('other', 'node-1');
        const names = async (...wanted: string[]): Promise<readonly string[]> =>
          (await port.cluster.readPods(term, namespace, wanted))
            .map(({ metadata }) => metadata.name)
            .toSorted();
        expect(await names('db-0', 'other', 'nobody')).toEqual(['db-0', 'other']);
        expect(await names('other')).toEqual(['other']);
        expect(await names('nobody')).toEqual([]);
        expect(await names()).toEqual([]);
        expect(await port.cluster.readPods(term, 'default', ['db-0', 'other'])).toEqual([]);
      }));

    test('have an owner that says how many it wants, and a namespace that says whether it stays', () =>
      within(async (port) => {
        const term = port.term(1);
        const { cluster } = port;
        const owner = (await podOn(port, term, 'db-0')).object.metadata.ownerReferences?.[0];
        expect(owner).toMatchObject({ kind: 'StatefulSet', name: 'db', controller: true });
        const before = await cluster.readStatefulSet(term, namespace, 'db');
        expect(before?.metadata.uid).toBe(owner?.uid);
        expect(before?.spec?.replicas).toBeGreaterThan(0);
        port.scale('db', 0);
        const after = await cluster.readStatefulSet(term, namespace, 'db');
        expect(after?.metadata.uid).toBe(owner?.uid);
        expect(after?.spec?.replicas).toBe(0);
        expect(Number(after?.metadata.resourceVersion)).toBeGreaterThan(
          Number(before?.metadata.resourceVersion),
        );
        expect((await cluster.readNamespace(term, namespace))?.metadata).not.toHaveProperty(
          'deletionTimestamp',
        );
        port.terminateNamespace();
        await port.pass(1_000);
        const going = await cluster.readNamespace(term, namespace);
        expect(going?.metadata.deletionTimestamp).toBeDefined();
        // What the dead node’s kubelet should confirm is still in it.
        expect((await podOn(port, term, 'db-0')).object.metadata.deletionTimestamp).toBeDefined();
        expect(await cluster.readStatefulSet(term, namespace, 'db')).toBeUndefined();
      }));

    test('have none once it was deleted, and are deleted with it', () =>
      within(async (port) => {
        const term = port.term(1);
        port.removeSet('db');
        await port.pass(1_000);
        expect(await port.cluster.readStatefulSet(term, namespace, 'db')).toBeUndefined();
        expect((await podOn(port, term, 'db-0')).object.metadata.deletionTimestamp).toBeDefined();
      }));

    test('lead to their volumes, and those to where they are attached', () =>
      within(async ({ cluster, ...port }) => {
        const term = port.term(1);
        const claim = await cluster.readClaim(term, namespace, 'data-db-0');
        const volume = await cluster.readVolume(term, claim?.spec?.volumeName ?? '');
        const attached = await cluster.listAttachmentsOn(term, 'node-1');
        expect(attached.map(({ spec }) => spec?.source?.persistentVolumeName)).toEqual([
          volume?.metadata.name,
        ]);
        expect(await cluster.listAttachmentsOn(term, 'node-2')).toEqual([]);
      }));
  });

  describe('a forced delete of a pod', () => {
    test('takes it away at once, though its node can’t confirm it', () =>
      within(async (port) => {
        const term = port.term(1);
        port.addPod('alone', 'node-1');
        const live = await podOn(port, term, 'alone');
        expect(await port.cluster.deletePod(term, live)).toBe('written');
        expect(await port.cluster.readPod(term, namespace, 'alone')).toBeUndefined();
        expect(await port.cluster.deletePod(term, live)).toBe('gone');
      }));

    test('is a conflict when the pod changed since it was read', () =>
      within(async (port) => {
        const term = port.term(1);
        port.addPod('alone', 'node-1');
        const live = await podOn(port, term, 'alone');
        port.changePod('alone', (pod) => ({ ...pod, metadata: { ...pod.metadata, labels: { a: 'b' } } }));
        expect(await port.cluster.deletePod(term, live)).toBe('conflict');
        const now = await podOn(port, term, 'alone');
        expect(now.object.metadata).not.toHaveProperty('deletionTimestamp');
        expect(Number(now.object.metadata.resourceVersion)).toBeGreaterThan(
          Number(live.object.metadata.resourceVersion),
        );
      }));

    test('is a conflict when another pod has the name by now', () =>
      within(async (port) => {
        const term = port.term(1);
        const { live } = await released(port, term);
        expect(await port.cluster.deletePod(term, live)).toBe('written');
        await port.pass(10_000);
        expect(await port.cluster.deletePod(term, live)).toBe('conflict');
        expect(await port.cluster.readPod(term, namespace, 'db-0')).toBeDefined();
      }));

    test('is accepted while a finalizer keeps it, and asked again it changes nothing', () =>
      within(async (port) => {
        const term = port.term(1);
        port.changePod('db-0', withFinalizers([finalizer]));
        expect(await port.cluster.deletePod(term, await podOn(port, term, 'db-0'))).toBe('written');
        const held = await podOn(port, term, 'db-0');
        expect(held.object.metadata.deletionTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        expect(await port.cluster.deletePod(term, held)).toBe('written');
        await port.pass(10_000);
        const still = await podOn(port, term, 'db-0');
        expect(still.object.metadata).toMatchObject({
          uid: held.object.metadata.uid,
          resourceVersion: held.object.metadata.resourceVersion,
          finalizers: [finalizer],
        });
        port.changePod('db-0', withFinalizers([]));
        expect((await port.cluster.readPod(term, namespace, 'db-0'))?.metadata.uid).not.toBe(
          held.object.metadata.uid,
        );
      }));
  });

  describe('the out-of-service taint', () => {
    test('has every pod that does not tolerate it deleted, with the grace that it asks for', () =>
      within(async (port) => {
        const term = port.term(1);
        port.addPod('alone', 'node-1');
        const before = await podOn(port, term, 'alone');
        await markOutOfService(port, term);
        const pods = await port.cluster.listPodsOn(term, 'node-1');
        expect(pods.length).toBeGreaterThanOrEqual(3);
        for (const { object } of pods) expect(object.metadata.deletionTimestamp).toBeDefined();
        expect(await port.cluster.deletePod(term, before)).toBe('conflict');
        expect(await port.cluster.deletePod(term, await podOn(port, term, 'alone'))).toBe('written');
        expect(await port.cluster.readPod(term, namespace, 'alone')).toBeUndefined();
      }));

    test('leaves alone what tolerates everything', () =>
      within(async (port) => {
        const term = port.term(1);
        port.addPod('alone', 'node-1', { tolerations: [{ operator: 'Exists' }] });
        await markOutOfService(port, term);
        expect((await podOn(port, term, 'alone')).object.metadata).not.toHaveProperty('deletionTimestamp');
      }));

    test('has a volume detached as soon as its pod is gone', () =>
      within(async (port) => {
        const term = port.term(1);
        const { live } = await released(port, term);
        expect(await port.cluster.listAttachmentsOn(term, 'node-1')).not.toEqual([]);
        await port.cluster.deletePod(term, live);
        await port.pass(1_000);
        expect(await port.cluster.listAttachmentsOn(term, 'node-1')).toEqual([]);
      }));

    test('missing, a volume of a dead node stays attached for six minutes', () =>
      within(async (port) => {
        const term = port.term(1);
        // Nothing new may come to the dead node, which Kubernetes does not know for one yet.
        const taint = { key: 'example.com/cordon', effect: 'NoSchedule' } as const;
        await port.cluster.setTaints(term, await readNode(port, term), [taint]);
        await port.cluster.deletePod(term, await podOn(port, term, 'db-0'));
        await port.pass(330_000);
        expect(await port.cluster.listAttachmentsOn(term, 'node-1')).not.toEqual([]);
        await port.pass(60_000);
        expect(await port.cluster.listAttachmentsOn(term, 'node-1')).toEqual([]);
      }));
  });

  describe('a StatefulSet whose pod is gone', () => {
    test('makes another of that name elsewhere, which is Ready after a while', () =>
      within(async (port) => {
        const term = port.term(1);
        const { live } = await released(port, term);
        await port.cluster.deletePod(term, live);
        await port.pass(500);
        const early = await port.cluster.readPod(term, namespace, 'db-0');
        expect(early?.metadata.uid).not.toBe(live.object.metadata.uid);
        expect(early?.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        expect(early?.metadata).not.toHaveProperty('deletionTimestamp');
        expect(readinessOf(early)).not.toBe('True');
        await port.pass(20_000);
        const late = await port.cluster.readPod(term, namespace, 'db-0');
        expect(late?.metadata.uid).toBe(early?.metadata.uid);
        expect(late?.spec?.nodeName).toBe('node-2');
        expect(late?.status?.phase).toBe('Running');
        expect(readinessOf(late)).toBe('True');
        expect(Number(late?.metadata.resourceVersion)).toBeGreaterThan(
          Number(early?.metadata.resourceVersion),
        );
      }));

    test('makes one that nobody takes when there is no room, and the scheduler says why', () =>
      within(async (port) => {
        const term = port.term(1);
        port.fillUp();
        const { live } = await released(port, term);
        await port.cluster.deletePod(term, live);
        await port.pass(10_000);
        const pod = await port.cluster.readPod(term, namespace, 'db-0');
        expect(pod?.metadata.uid).not.toBe(live.object.metadata.uid);
        expect(pod?.spec).not.toHaveProperty('nodeName');
        expect(pod?.status?.phase).toBe('Pending');
        expect(pod?.status?.conditions).toContainEqual(
          expect.objectContaining({
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: expect.stringMatching(/^0\/2 nodes are available/),
          }),
        );
      }));

    const unwanted = {
      'was scaled down': (port: TakeoverPort) => port.scale('db', 0),
      'is gone': (port: TakeoverPort) => port.removeSet('db'),
      'is in a namespace that terminates': (port: TakeoverPort) => port.terminateNamespace(),
    };
    for (const [what, happen] of Object.entries(unwanted)) {
      test(`makes none when it ${what}`, () =>
        within(async (port) => {
          const term = port.term(1);
          happen(port);
          await port.pass(2_000);
          const { live } = await released(port, term);
          expect(live.object.metadata.deletionTimestamp).toBeDefined();
          expect(await port.cluster.deletePod(term, live)).toBe('written');
          await port.pass(20_000);
          expect(await port.cluster.readPod(term, namespace, 'db-0')).toBeUndefined();
        }));
    }
  });
}

const readinessOf = (pod: Pod | undefined): string | undefined =>
  pod?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;

const withFinalizers =
  (finalizers: readonly string[]) =>
  (pod: Pod): Pod => ({ ...pod, metadata: { ...pod.metadata, finalizers } });

/** As the node's list has it. */
export async function podOn(
  { cluster }: Pick<TakeoverPort, 'cluster'>,
  term: LeaderTerm,
  name: string,
  node = 'node-1',
): Promise<LiveRead<Pod>> {
  const pod = (await cluster.listPodsOn(term, node)).find(({ object }) => object.metadata.name === name);
  if (pod === undefined) throw new Error(`expected a pod ${name} on ${node}, found none`);
  return pod;
}

/** Marks the dead node, and lets Kubernetes evict. */
async function markOutOfService(port: TakeoverPort, term: LeaderTerm): Promise<void> {
  await port.cluster.setTaints(term, await readNode(port, term), [outOfServiceTaint]);
  await port.pass(1_000);
}

/** db-0 as it is once the dead node is marked. */
async function released(port: TakeoverPort, term: LeaderTerm): Promise<{ live: LiveRead<Pod> }> {
  await markOutOfService(port, term);
  return { live: await podOn(port, term, 'db-0') };
}
