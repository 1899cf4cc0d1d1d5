// What takeovers are told when a write does not come to a plain outcome.
import {
  KubernetesError,
  type LeaderTerm,
  type NodeEvent,
  type Taint,
  TransportError,
} from '@liberator/core';
import { describe, expect, test } from 'vitest';
import { newRecord } from '../../packages/core/src/testing/dead-node.ts';
import { namespace, type TakeoverPort, type Within } from './takeover-port.ts';
import { readNode } from './takeover-port-nodes.ts';
import { podOn } from './takeover-port-pods.ts';
import { create } from './takeover-port-records.ts';

const taint: Taint = { key: 'example.com/cordon', effect: 'NoSchedule' };
const words = "ValidatingAdmissionPolicy 'keep' with binding 'keep' denied request: not this one";

export function describeTakeoverTrouble(within: Within): void {
  describe('a write that an admission policy refuses', () => {
    test('fails with the server’s own words, for the one pod that it is about', () =>
      within(async (port) => {
        const term = port.term(1);
        port.addPod('kept', 'node-1');
        port.addPod('other', 'node-1');
        port.refuse('pods', 'kept', words);
        const error = await failureOf(port.cluster.deletePod(term, await podOn(port, term, 'kept')));
        expectRefusal(error, { verb: 'delete', namespace, name: 'kept' });
        const kept = await podOn(port, term, 'kept');
        expect(kept.object.metadata).not.toHaveProperty('deletionTimestamp');
        expect(await port.cluster.deletePod(term, await podOn(port, term, 'other'))).toBe('written');
      }));

    test('fails for a Node', () =>
      within(async (port) => {
        const term = port.term(1);
        await port.cluster.setTaints(term, await readNode(port, term), [taint]);
        port.refuse('nodes', 'node-1', words);
        const live = await readNode(port, term);
        const attempts = [
          () => port.cluster.deleteNode(term, live),
          () => port.cluster.clearTaints(term, live, []),
        ];
        for (const attempt of attempts) expectRefusal(await failureOf(attempt()), { name: 'node-1' });
        expect((await readNode(port, term)).object).toEqual(live.object);
      }));

    test('fails for a record, which stays as it was', () =>
      within(async (port) => {
        const term = port.term(1);
        const record = newRecord({ id: 'first' });
        const seen = await create(port, term, record);
        port.refuse('configmaps', 'liberator-takeover-first', words);
        port.refuse('configmaps', 'liberator-takeover-second', words);
        const attempts = [
          () => port.cluster.createRecord(term, { ...record, id: 'second' }),
          () => port.cluster.updateRecord(term, seen, { ...record, epoch: 2 }),
          () => port.cluster.deleteRecord(term, seen),
        ];
        for (const attempt of attempts) expectRefusal(await failureOf(attempt()), {});
        expect(await port.cluster.listRecords(term)).toMatchObject({
          records: [{ record, resourceVersion: seen.resourceVersion }],
        });
      }));

    test('fails for an Event', () =>
      within(async (port) => {
        const term = port.term(1);
        port.refuse('events', 'node-1', words);
        expectRefusal(await failureOf(port.cluster.publishEvent(term, await event(port, term))), {
          verb: 'create',
        });
      }));
  });

  describe('a write without an answer', () => {
    test('fails as one that may have been done, and was not when the request was lost', () =>
      within(async (port) => {
        const term = port.term(1);
        const live = await readNode(port, term);
        port.loseNextNodeWrite('request');
        const error = await failureOf(port.cluster.setTaints(term, live, [taint]));
        expect(error).toBeInstanceOf(TransportError);
        expect(error).toMatchObject({ sent: false });
        expect((await readNode(port, term)).object).toEqual(live.object);
        expect(await port.cluster.setTaints(term, live, [taint])).toBe('written');
      }));

    test('was done when its answer was lost', () =>
      within(async (port) => {
        const term = port.term(1);
        const live = await readNode(port, term);
        port.loseNextNodeWrite('answer');
        const error = await failureOf(port.cluster.setTaints(term, live, [taint]));
        expect(error).toBeInstanceOf(TransportError);
        expect(error).toMatchObject({ sent: true });
        expect((await readNode(port, term)).object.spec?.taints).toEqual([taint]);
        expect(await port.cluster.setTaints(term, live, [taint])).toBe('conflict');
      }));
  });

  describe('a call that is not answered', () => {
    test('fails after ten seconds at most, as one of which nobody knows what became of it', () =>
      within(async (port) => {
        const term = port.term(1);
        const live = await readNode(port, term);
        const pod = await podOn(port, term, 'db-0');
        port.hang();
        const calls = [port.cluster.setTaints(term, live, [taint]), port.cluster.deletePod(term, pod)].map(
          watched,
        );
        await port.pass(9_900);
        expect(calls.map(({ error }) => error)).toEqual([undefined, undefined]);
        await port.pass(100);
        for (const { error } of calls)
          expect(error).toMatchObject({ name: 'RequestTimeoutError', timeoutMs: 10_000, sent: true });
      }));

    test('fails at once when the term ends', () =>
      within(async (port) => {
        const term = port.term(1);
        const live = await readNode(port, term);
        port.hang();
        const call = watched(port.cluster.setTaints(term, live, [taint]));
        const read = watched(port.cluster.readNodeLease(term, 'node-1'));
        await port.pass(1_000);
        term.end('the test says so');
        await port.pass(0);
        for (const { error } of [call, read])
          expect(error).toMatchObject({ name: 'RequestAbortedError', sent: true });
      }));
  });

  describe('once the term is over', () => {
    test('nothing is asked and nothing is written', () =>
      within(async (port) => {
        const term = port.term(1);
        const seen = await create(port, term, newRecord());
        const pod = await podOn(port, term, 'db-0');
        const told = await event(port, term);
        const before = port.writes();
        term.end('the test says so');
        const { cluster } = port;
        const attempts: readonly (() => Promise<unknown>)[] = [
          () => cluster.readNode(term, 'node-1'),
          () => cluster.readNodeLease(term, 'node-1'),
          () => cluster.listPodsOn(term, 'node-1'),
          () => cluster.readPod(term, namespace, 'db-0'),
          () => cluster.readClaim(term, namespace, 'data-db-0'),
          () => cluster.readVolume(term, 'pv-0'),
          () => cluster.listAttachmentsOn(term, 'node-1'),
          () => cluster.readStatefulSet(term, namespace, 'db'),
          () => cluster.readNamespace(term, namespace),
          () => cluster.deletePod(term, pod),
          () => cluster.listRecords(term),
          () => cluster.readRecord(term, 'death'),
          () => cluster.createRecord(term, newRecord({ id: 'second' })),
          () => cluster.updateRecord(term, seen, newRecord({ epoch: 2 })),
          () => cluster.deleteRecord(term, seen),
          () => cluster.publishEvent(term, told),
        ];
        for (const attempt of attempts)
          expect(await failureOf((async () => attempt())())).toMatchObject({ name: 'TermEndedError' });
        expect(port.writes()).toBe(before);
      }));
  });
}

async function event(port: TakeoverPort, term: LeaderTerm): Promise<NodeEvent> {
  const { uid } = (await readNode(port, term)).object.metadata;
  return { type: 'Normal', reason: 'NodeReleased', message: 'free', node: { name: 'node-1', uid } };
}

function failureOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    (answer) => {
      throw new Error(`expected a failure, found ${JSON.stringify(answer)}`);
    },
    (error: unknown) => error,
  );
}

function expectRefusal(error: unknown, call: object): void {
  expect(error).toBeInstanceOf(KubernetesError);
  expect(error).toMatchObject({ status: 403, reason: 'Forbidden', call });
  expect((error as KubernetesError).message).toContain(words);
}

/** What a call fails with, once it has. */
function watched(call: Promise<unknown>): { error: unknown } {
  const seen: { error: unknown } = { error: undefined };
  failureOf(call).then(
    (error) => {
      seen.error = error;
    },
    (answered: unknown) => {
      seen.error = answered;
    },
  );
  return seen;
}
