// Nodes as takeovers read and change them.
import {
  epochAnnotation,
  type LeaderTerm,
  type LiveRead,
  type Node,
  type Taint,
  type TakeoverCluster,
  type WriteOutcome,
} from '@liberator/core';
import { describe, expect, test } from 'vitest';
import { finalizer, type TakeoverPort, type Within } from './takeover-port.ts';

const cordon: Taint = { key: 'example.com/cordon', value: 'yes', effect: 'NoSchedule' };

export function describeNodeWrites(within: Within): void {
  describe('a Node', () => {
    test('is read as it is now, and not at all when there is none', () =>
      within(async (port) => {
        const term = port.term(1);
        expect(await port.cluster.readNode(term, 'nobody')).toBeUndefined();
        const before = await readNode(port, term);
        expect(before.term).toBe(term);
        port.changeNode('node-1', labelled('rack', '8'));
        const after = await readNode(port, term);
        expect(after.object.metadata.labels).toMatchObject({ rack: '8' });
        expect(after.object.metadata.uid).toBe(before.object.metadata.uid);
        expectNewer(after.object, before.object);
      }));

    test('takes taints and the stamp of the term, and keeps what else it has', () =>
      within(async (port) => {
        const term = port.term(7);
        port.changeNode('node-1', labelled('rack', '8'));
        const live = await readNode(port, term);
        expect(await port.cluster.setTaints(term, live, [cordon])).toBe('written');
        const { object } = await readNode(port, term);
        expect(object.spec?.taints).toEqual([cordon]);
        expect(object.metadata.annotations).toMatchObject({ [epochAnnotation]: '7' });
        expect(object.metadata.labels).toMatchObject({ rack: '8' });
        expectNewer(object, live.object);
      }));

    test('has neither the taints nor the stamp once they are cleared', () =>
      within(async (port) => {
        const term = port.term(7);
        port.changeNode('node-1', (node) => ({
          ...node,
          metadata: { ...node.metadata, annotations: { note: 'mine' } },
        }));
        await port.cluster.setTaints(term, await readNode(port, term), [cordon]);
        expect(await port.cluster.clearTaints(term, await readNode(port, term), [])).toBe('written');
        const { object } = await readNode(port, term);
        expect(object.spec?.taints ?? []).toEqual([]);
        expect(object.metadata.annotations).not.toHaveProperty([epochAnnotation]);
        expect(object.metadata.annotations).toMatchObject({ note: 'mine' });
      }));

    test('gets what is added to it, beside what it has', () =>
      within(async (port) => {
        const term = port.term(1);
        port.changeNode('node-1', (node) => ({
          ...labelled('rack', '8')(node),
          spec: { ...node.spec, taints: [cordon] },
        }));
        const keepsake = {
          labels: { team: 'db' },
          annotations: { note: 'from before' },
          taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }],
          unschedulable: true,
        } as const;
        const live = await readNode(port, term);
        expect(await port.cluster.addToNode(term, live, keepsake)).toBe('written');
        const { object } = await readNode(port, term);
        expect(object.metadata.labels).toMatchObject({ rack: '8', team: 'db' });
        expect(object.metadata.annotations).toMatchObject({ note: 'from before' });
        expect(object.spec?.taints).toEqual([cordon, ...keepsake.taints]);
        expect(object.spec?.unschedulable).toBe(true);
        expect(object.metadata.annotations).not.toHaveProperty([epochAnnotation]);
      }));

    test('has a new version after each change, and after nothing else', () =>
      within(async (port) => {
        const term = port.term(1);
        const versions: string[] = [];
        for (const taints of [[cordon], [cordon], [], []]) {
          const live = await readNode(port, term);
          expect(await port.cluster.setTaints(term, live, taints)).toBe('written');
          versions.push((await readNode(port, term)).object.metadata.resourceVersion);
        }
        const [first, same, second, sameAgain] = versions;
        expect(same).toBe(first);
        expect(Number(second)).toBeGreaterThan(Number(same));
        expect(sameAgain).toBe(second);
      }));
  });

  describe('a write to a Node', () => {
    const nothing = { labels: {}, annotations: {}, taints: [], unschedulable: false };
    const writes: Record<
      string,
      (cluster: TakeoverCluster, term: LeaderTerm, live: LiveRead<Node>) => Promise<WriteOutcome | 'held'>
    > = {
      setTaints: (cluster, term, live) => cluster.setTaints(term, live, [cordon]),
      clearTaints: (cluster, term, live) => cluster.clearTaints(term, live, []),
      addToNode: (cluster, term, live) => cluster.addToNode(term, live, { ...nothing, labels: { a: 'b' } }),
      deleteNode: (cluster, term, live) => cluster.deleteNode(term, live),
    };

    for (const [method, write] of Object.entries(writes)) {
      const stamped = async (port: TakeoverPort): Promise<LiveRead<Node>> => {
        const term = port.term(3);
        await port.cluster.setTaints(term, await readNode(port, term), []);
        return readNode(port, term);
      };

      test(`is a conflict when the Node changed since it was read: ${method}`, () =>
        within(async (port) => {
          const live = await stamped(port);
          port.changeNode('node-1', labelled('rack', '9'));
          const before = await readNode(port, live.term);
          expect(await write(port.cluster, live.term, live)).toBe('conflict');
          expect((await readNode(port, live.term)).object).toEqual(before.object);
        }));

      test(`is a conflict when another Node has the name by now: ${method}`, () =>
        within(async (port) => {
          const live = await stamped(port);
          port.registerAnew('node-1');
          expect(await write(port.cluster, live.term, live)).toBe('conflict');
          const { object } = await readNode(port, live.term);
          expect(object.metadata.uid).not.toBe(live.object.metadata.uid);
        }));

      test(`finds it gone when it is: ${method}`, () =>
        within(async (port) => {
          const live = await stamped(port);
          port.removeNode('node-1');
          expect(await write(port.cluster, live.term, live)).toBe('gone');
        }));

      test(`is refused on the spot with a read of another term: ${method}`, () =>
        within(async (port) => {
          const live = await stamped(port);
          const before = port.writes();
          const wrong = async (): Promise<unknown> => write(port.cluster, port.term(3), live);
          await expect(wrong()).rejects.toThrow(TypeError);
          expect(port.writes()).toBe(before);
        }));

      test(`is never sent once the term is over: ${method}`, () =>
        within(async (port) => {
          const term = port.term(3);
          await port.cluster.setTaints(term, await readNode(port, term), []);
          const live = await readNode(port, term);
          const before = port.writes();
          term.end('the test says so');
          const late = async (): Promise<unknown> => write(port.cluster, term, live);
          await expect(late()).rejects.toMatchObject({ name: 'TermEndedError' });
          expect(port.writes()).toBe(before);
        }));
    }
  });

  describe('deleting a Node', () => {
    test('takes it away, and with it nothing else', () =>
      within(async (port) => {
        const term = port.term(3);
        await port.cluster.setTaints(term, await readNode(port, term), [cordon]);
        const live = await readNode(port, term);
        expect(await port.cluster.deleteNode(term, live)).toBe('written');
        expect(await port.cluster.readNode(term, 'node-1')).toBeUndefined();
        expect(await port.cluster.deleteNode(term, live)).toBe('gone');
        expect(await port.cluster.listPodsOn(term, 'node-1')).not.toEqual([]);
      }));

    test('needs the stamp of this very term on it', () =>
      within(async (port) => {
        const before = port.term(3);
        await port.cluster.setTaints(before, await readNode(port, before), [cordon]);
        const term = port.term(4);
        const live = await readNode(port, term);
        const sent = port.writes();
        await expect((async () => port.cluster.deleteNode(term, live))()).rejects.toThrow(TypeError);
        expect(port.writes()).toBe(sent);
      }));

    test('is accepted while a finalizer keeps it, and asked again it changes nothing', () =>
      within(async (port) => {
        const term = port.term(3);
        port.changeNode('node-1', (node) => ({
          ...node,
          metadata: { ...node.metadata, finalizers: [finalizer] },
        }));
        await port.cluster.setTaints(term, await readNode(port, term), [cordon]);
        expect(await port.cluster.deleteNode(term, await readNode(port, term))).toBe('held');
        const held = await readNode(port, term);
        expect(held.object.metadata.deletionTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        expect(held.object.metadata.finalizers).toEqual([finalizer]);
        expect(await port.cluster.deleteNode(term, held)).toBe('held');
        expect((await readNode(port, term)).object).toEqual(held.object);
        port.changeNode('node-1', (node) => ({ ...node, metadata: { ...node.metadata, finalizers: [] } }));
        expect(await port.cluster.readNode(term, 'node-1')).toBeUndefined();
      }));
  });

  describe('a node’s Lease', () => {
    test('is read as it was last renewed, and not at all when there is none', () =>
      within(async (port) => {
        const term = port.term(1);
        expect(await port.cluster.readNodeLease(term, 'nobody')).toBeUndefined();
        const before = await port.cluster.readNodeLease(term, 'node-1');
        port.renewLease('node-1', '2031-01-01T00:00:00.000000Z');
        const after = await port.cluster.readNodeLease(term, 'node-1');
        expect(after?.spec?.renewTime).toBe('2031-01-01T00:00:00.000000Z');
        expect(after?.metadata.uid).toBe(before?.metadata.uid);
        expect(Number(after?.metadata.resourceVersion)).toBeGreaterThan(
          Number(before?.metadata.resourceVersion),
        );
      }));
  });
}

export async function readNode(
  { cluster }: Pick<TakeoverPort, 'cluster'>,
  term: LiveRead<Node>['term'],
  name = 'node-1',
): Promise<LiveRead<Node>> {
  const live = await cluster.readNode(term, name);
  if (live === undefined) throw new Error(`expected a Node ${name}, found none`);
  return live;
}

function labelled(key: string, value: string): (node: Node) => Node {
  return (node) => ({
    ...node,
    metadata: { ...node.metadata, labels: { ...node.metadata.labels, [key]: value } },
  });
}

function expectNewer(after: Node, before: Node): void {
  expect(Number(after.metadata.resourceVersion)).toBeGreaterThan(Number(before.metadata.resourceVersion));
}
