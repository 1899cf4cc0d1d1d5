// What maintenance relies on in the port through which it acts: one text, for the fake that core's tests use and for the real one.
import {
  type EvictionAnswer,
  type MaintenanceCluster,
  type Node,
  type Pod,
  TransportError,
} from '@liberator/core';
import { describe, expect, test } from 'vitest';
import { maintenanceAnnotation } from '../../packages/core/src/marks/maintenance.ts';
import type { MaintenancePort } from './maintenance-port.ts';

const namespace = 'default';

/** Declares the tests; each starts a cluster of its own. */
export function describeMaintenancePort(name: string, start: () => Promise<MaintenancePort>): void {
  const within = async (use: (port: MaintenancePort) => Promise<void>): Promise<void> => {
    const port = await start();
    try {
      await use(port);
    } finally {
      await port.close();
    }
  };

  describe(`the port of maintenance, ${name}`, () => {
    describe('what is read', () => {
      test('is as it is now, and undefined where there is nothing', () =>
        within(async ({ cluster }) => {
          expect((await node(cluster)).metadata.name).toBe('node-1');
          expect((await cluster.listPodsOn('node-1')).map((pod) => pod.metadata.name)).toEqual(
            expect.arrayContaining(['alone', 'db-0']),
          );
          expect(await cluster.listPodsOn('node-2')).toEqual([]);
          const db = await pod(cluster, 'db-0');
          expect(readinessOf(db)).toBe('True');
          const set = await cluster.readStatefulSet(namespace, 'db');
          expect(db.metadata.ownerReferences).toMatchObject([
            { kind: 'StatefulSet', name: 'db', uid: set?.metadata.uid, controller: true },
          ]);
          const claim = await cluster.readClaim(namespace, 'data-db-0');
          expect((await cluster.readVolume(claim?.spec?.volumeName ?? ''))?.metadata.name).toBe(
            claim?.spec?.volumeName,
          );
          expect(await cluster.listBudgets(namespace)).toEqual([]);
          const nothing = [
            cluster.readNode('nobody'),
            cluster.readPod(namespace, 'nobody'),
            cluster.readPod('elsewhere', 'db-0'),
            cluster.readClaim(namespace, 'nothing'),
            cluster.readVolume('nothing'),
            cluster.readStatefulSet(namespace, 'nothing'),
          ];
          expect(await Promise.all(nothing)).toEqual(nothing.map(() => undefined));
        }));

      test('fails when nobody answers, and so does what is written', () =>
        within(async (port) => {
          const { cluster, pass } = port;
          const seen = await node(cluster);
          const db = await pod(cluster, 'db-0');
          port.breakDown();
          const calls = [
            cluster.readNode('node-1'),
            cluster.listPodsOn('node-1'),
            cluster.changeNode(seen, { unschedulable: true }),
            cluster.evict(of(db), {}),
          ].map((call) => failureOf(call));
          await pass(60_000);
          for (const failure of await Promise.all(calls)) expect(failure).toBeInstanceOf(TransportError);
        }));
    });

    describe('a change of a Node', () => {
      test('cordons and marks, and takes both back', () =>
        within(async ({ cluster }) => {
          const before = await node(cluster);
          expect(await cluster.changeNode(before, { unschedulable: true, maintenance: 'by alice' })).toBe(
            'written',
          );
          const cordoned = await node(cluster);
          expect(cordoned.spec?.unschedulable).toBe(true);
          expect(cordoned.metadata.annotations?.[maintenanceAnnotation]).toBe('by alice');
          expect(Number(cordoned.metadata.resourceVersion)).toBeGreaterThan(
            Number(before.metadata.resourceVersion),
          );
          expect(await cluster.changeNode(cordoned, { unschedulable: true })).toBe('written');
          const same = await node(cluster);
          expect(same.metadata.resourceVersion).toBe(cordoned.metadata.resourceVersion);
          expect(await cluster.changeNode(same, { unschedulable: false, maintenance: null })).toBe('written');
          const after = await node(cluster);
          expect(after.spec?.unschedulable ?? false).toBe(false);
          expect(after.metadata.annotations ?? {}).not.toHaveProperty([maintenanceAnnotation]);
        }));

      test('leaves what others wrote, and is a conflict when they did meanwhile', () =>
        within(async (port) => {
          const { cluster } = port;
          const stale = await node(cluster);
          port.changeNode('node-1', ({ metadata, ...rest }) => ({
            ...rest,
            metadata: { ...metadata, annotations: { ...metadata.annotations, note: 'mine' } },
          }));
          expect(await cluster.changeNode(stale, { unschedulable: true })).toBe('conflict');
          const seen = await node(cluster);
          expect(seen.spec?.unschedulable ?? false).toBe(false);
          expect(await cluster.changeNode(seen, { unschedulable: true, maintenance: 'x' })).toBe('written');
          expect((await node(cluster)).metadata.annotations).toMatchObject({ note: 'mine' });
        }));

      test('finds it gone when it is', () =>
        within(async (port) => {
          const seen = await node(port.cluster);
          port.removeNode('node-1');
          expect(await port.cluster.changeNode(seen, { unschedulable: true })).toBe('gone');
        }));
    });

    describe('an eviction', () => {
      test('has the pod end in its own time, and then it is gone', () =>
        within(async ({ cluster, pass }) => {
          const alone = await pod(cluster, 'alone');
          expect(await cluster.evict(of(alone), {})).toEqual({ outcome: 'evicted' });
          const going = await pod(cluster, 'alone');
          expect(going.metadata.uid).toBe(alone.metadata.uid);
          expect(going.metadata.deletionTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
          expect(Number(going.metadata.resourceVersion)).toBeGreaterThan(
            Number(alone.metadata.resourceVersion),
          );
          await pass(40_000);
          expect(await cluster.readPod(namespace, 'alone')).toBeUndefined();
          expect(await cluster.evict(of(alone), {})).toEqual({ outcome: 'gone' });
        }));

      test('of a StatefulSet’s pod has another made elsewhere, which is Ready after a while', () =>
        within(async ({ cluster, pass }) => {
          await cluster.changeNode(await node(cluster), { unschedulable: true });
          const old = await pod(cluster, 'db-0');
          expect(await cluster.evict(of(old), {})).toEqual({ outcome: 'evicted' });
          await pass(60_000);
          const anew = await pod(cluster, 'db-0');
          expect(anew.metadata.uid).not.toBe(old.metadata.uid);
          expect(anew.metadata).not.toHaveProperty('deletionTimestamp');
          expect(anew.spec?.nodeName).toBe('node-2');
          expect(readinessOf(anew)).toBe('True');
          expect(await cluster.evict(of(old), {})).toEqual({ outcome: 'gone' });
          expect((await pod(cluster, 'db-0')).metadata).not.toHaveProperty('deletionTimestamp');
        }));

      test('that is asked for twice is carried out once', () =>
        within(async ({ cluster, pass }) => {
          await cluster.changeNode(await node(cluster), { unschedulable: true });
          const old = await pod(cluster, 'db-0');
          await cluster.evict(of(old), {});
          const going = await pod(cluster, 'db-0');
          expect(await cluster.evict(of(old), {})).toEqual({ outcome: 'evicted' });
          expect((await pod(cluster, 'db-0')).metadata.deletionTimestamp).toBe(
            going.metadata.deletionTimestamp,
          );
          await pass(40_000);
          const anew = await pod(cluster, 'db-0');
          await pass(40_000);
          expect((await pod(cluster, 'db-0')).metadata.uid).toBe(anew.metadata.uid);
        }));

      const unwanted = {
        'was scaled down': (port: MaintenancePort) => port.scale('db', 0),
        'is gone': (port: MaintenancePort) => port.removeSet('db'),
      };
      for (const [what, happen] of Object.entries(unwanted)) {
        test(`has nothing made anew by a set that ${what}`, () =>
          within(async (port) => {
            const old = await pod(port.cluster, 'db-0');
            happen(port);
            await port.pass(100);
            expect(await port.cluster.evict(of(old), {})).toEqual({ outcome: 'evicted' });
            await port.pass(60_000);
            expect(await port.cluster.readPod(namespace, 'db-0')).toBeUndefined();
          }));
      }

      test('is refused by a budget, which is named, until it is gone', () =>
        within(async (port) => {
          const { cluster } = port;
          port.protect('db', 'keep-db');
          port.protect('alone', 'keep-alone');
          await port.pass(1_000);
          expect((await cluster.listBudgets(namespace)).map(({ metadata }) => metadata.name)).toEqual([
            'keep-alone',
            'keep-db',
          ]);
          const db = await pod(cluster, 'db-0');
          const answer = await cluster.evict(of(db), {});
          expect(answer).toMatchObject({ outcome: 'refused', budgets: ['keep-db'] });
          expect((answer as EvictionAnswer & { why: string }).why).toMatch(/disruption budget keep-db/);
          expect(await pod(cluster, 'db-0')).toEqual(db);
          port.unprotect('keep-db');
          expect(await cluster.evict(of(db), {})).toEqual({ outcome: 'evicted' });
        }));

      test('of a pod whose namesake a budget protects finds it gone', () =>
        within(async (port) => {
          const { cluster } = port;
          await cluster.changeNode(await node(cluster), { unschedulable: true });
          const db = await pod(cluster, 'db-0');
          await cluster.evict(of(db), {});
          await port.pass(60_000);
          port.protect('db', 'keep-db');
          await port.pass(1_000);
          expect(await cluster.evict(of(db), {})).toEqual({ outcome: 'gone' });
        }));

      test('of a pod that goes already is refused by no budget', () =>
        within(async (port) => {
          const { cluster } = port;
          const db = await pod(cluster, 'db-0');
          await cluster.evict(of(db), {});
          port.protect('db', 'keep-db');
          expect(await cluster.evict(of(db), {})).toEqual({ outcome: 'evicted' });
        }));

      test('that an admission policy refuses is denied in its words, and the pod stays', () =>
        within(async (port) => {
          const { cluster } = port;
          const words = "ValidatingAdmissionPolicy 'keep' with binding 'keep' denied request: not this one";
          port.refuse('db-0', words);
          const db = await pod(cluster, 'db-0');
          const answer = await cluster.evict(of(db), {});
          expect(answer).toMatchObject({
            outcome: 'denied',
            why: words,
            error: { name: 'KubernetesError', status: 403, reason: 'Forbidden', said: words },
          });
          expect(await pod(cluster, 'db-0')).toEqual(db);
          expect(await cluster.evict(of(await pod(cluster, 'alone')), {})).toEqual({ outcome: 'evicted' });
        }));
    });
  });
}

const readinessOf = ({ status }: Pod): string | undefined =>
  status?.conditions?.find(({ type }) => type === 'Ready')?.status;

const of = ({ metadata }: Pod): { namespace: string; name: string; uid: string } => ({
  namespace,
  name: metadata.name,
  uid: metadata.uid,
});

async function node(cluster: MaintenanceCluster, name = 'node-1'): Promise<Node> {
  const found = await cluster.readNode(name);
  if (found === undefined) throw new Error(`expected a Node ${name}, found none`);
  return found;
}

async function pod(cluster: MaintenanceCluster, name: string): Promise<Pod> {
  const found = await cluster.readPod(namespace, name);
  if (found === undefined) throw new Error(`expected a pod ${name}, found none`);
  return found;
}

function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (answer) => {
      throw new Error(`expected a failure, found ${JSON.stringify(answer)}`);
    },
    (error: unknown) => error,
  );
}
