// What elections rely on in the port to their Lease: one text, for the fake that core's tests use and for the real one.
import type { LeaseRecord, LeaseSnapshot, LeaseWriteResult } from '@liberator/core';
import { describe, expect, test } from 'vitest';
import { microTime } from '../../packages/core/src/election/lease-record.ts';
import type { LeasePort } from './lease-port.ts';

const time = microTime(Date.UTC(2030, 0, 1));
const record: LeaseRecord = {
  holderIdentity: 'a',
  leaseDurationSeconds: 15,
  leaseTransitions: 0,
  acquireTime: time,
  renewTime: time,
};

/** Declares the tests; each starts a Lease of its own. */
export function describeLeasePort(name: string, start: () => Promise<LeasePort>): void {
  const within = async (use: (port: LeasePort) => Promise<void>): Promise<void> => {
    const port = await start();
    try {
      await use(port);
    } finally {
      await port.close();
    }
  };

  describe(`the port to an election’s Lease, ${name}`, () => {
    test('finds none at first, and then what was written', () =>
      within(async ({ store }) => {
        expect(await store.read(limits())).toBeUndefined();
        const created = written(await store.create(record, limits()));
        expect(created.record).toEqual(record);
        expect(await store.read(limits())).toEqual(created);
      }));

    test('creates it once', () =>
      within(async ({ store }) => {
        const created = written(await store.create(record, limits()));
        expect(await store.create({ ...record, holderIdentity: 'b' }, limits())).toEqual({
          outcome: 'conflict',
        });
        expect(await store.read(limits())).toEqual(created);
      }));

    test('updates it under the condition that nobody did since it was read', () =>
      within(async ({ store }) => {
        const seen = written(await store.create(record, limits()));
        const taken = { ...record, holderIdentity: 'b', leaseTransitions: 1 };
        const updated = written(await store.update(seen, taken, limits()));
        expect(updated.record).toEqual(taken);
        expect(updated.uid).toBe(seen.uid);
        expect(Number(updated.resourceVersion)).toBeGreaterThan(Number(seen.resourceVersion));
        expect(await store.update(seen, record, limits())).toEqual({ outcome: 'conflict' });
        expect(await store.read(limits())).toEqual(updated);
        // The answer of an update serves as what was seen.
        expect(await store.update(updated, { ...taken, renewTime: microTime(0) }, limits())).toMatchObject({
          outcome: 'written',
        });
      }));

    test('keeps a record of nobody', () =>
      within(async ({ store }) => {
        const seen = written(await store.create(record, limits()));
        const released = { ...record, holderIdentity: '', leaseDurationSeconds: 1 };
        expect(written(await store.update(seen, released, limits())).record).toEqual(released);
        expect((await store.read(limits()))?.record).toEqual(released);
      }));

    test('takes somebody’s annotation for a change too, though the record is the same', () =>
      within(async (port) => {
        const seen = written(await port.store.create(record, limits()));
        port.touch();
        const now = await port.store.read(limits());
        expect(now).toMatchObject({ record, uid: seen.uid });
        expect(Number(now?.resourceVersion)).toBeGreaterThan(Number(seen.resourceVersion));
        expect(await port.store.update(seen, record, limits())).toEqual({ outcome: 'conflict' });
      }));

    test('calls it a conflict when the Lease is gone, and another Lease another one', () =>
      within(async (port) => {
        const seen = written(await port.store.create(record, limits()));
        port.remove();
        expect(await port.store.read(limits())).toBeUndefined();
        expect(await port.store.update(seen, record, limits())).toEqual({ outcome: 'conflict' });
        const anew = written(await port.store.create(record, limits()));
        expect(anew.uid).not.toBe(seen.uid);
        expect(Number(anew.resourceVersion)).toBeGreaterThan(Number(seen.resourceVersion));
        expect(await port.store.update(seen, record, limits())).toEqual({ outcome: 'conflict' });
      }));

    test('makes no new version of what is there already', () =>
      within(async ({ store }) => {
        const seen = written(await store.create(record, limits()));
        expect(written(await store.update(seen, record, limits()))).toEqual(seen);
      }));

    test('gives up in time on a server that says nothing', () =>
      within(async (port) => {
        port.hang();
        const failure = failureOf(port.store.read({ ...limits(), timeoutMs: 5_000 }));
        await port.pass(4_999);
        expect(failure.error).toBeUndefined();
        await port.pass(1);
        expect(failure.error).toMatchObject({
          name: 'RequestTimeoutError',
          code: 'LIBERATOR_TIMEOUT',
          timeoutMs: 5_000,
        });
      }));

    test('gives up when it is told to', () =>
      within(async (port) => {
        port.hang();
        const stop = new AbortController();
        const failure = failureOf(port.store.create(record, { timeoutMs: 5_000, signal: stop.signal }));
        await port.pass(1_000);
        stop.abort(new Error('no longer of use'));
        await port.pass(0);
        expect(failure.error).toMatchObject({ name: 'RequestAbortedError', code: 'LIBERATOR_ABORTED' });
      }));

    test('fails when an answer is lost, and what was written stays written', () =>
      within(async (port) => {
        const seen = written(await port.store.create(record, limits()));
        port.loseNextAnswer();
        const failure = failureOf(port.store.update(seen, { ...record, leaseTransitions: 1 }, limits()));
        await port.pass(10_000);
        expect(failure.error).toMatchObject({ sent: true });
        expect((await readBeside(port)).record.leaseTransitions).toBe(1);
      }));
  });
}

/** As somebody who is heard reads it. */
async function readBeside(port: LeasePort): Promise<LeaseSnapshot> {
  port.hear();
  const snapshot = await port.store.read(limits());
  if (snapshot === undefined) throw new Error('expected a Lease, found none');
  return snapshot;
}

const limits = (): { timeoutMs: number; signal: AbortSignal } => ({
  timeoutMs: 10_000,
  signal: new AbortController().signal,
});

function written(result: LeaseWriteResult): LeaseSnapshot {
  if (result.outcome !== 'written') throw new Error(`expected it written, found ${result.outcome}`);
  return result.snapshot;
}

/** What a call fails with, once it has. */
function failureOf(call: Promise<unknown>): { error: unknown } {
  const failure: { error: unknown } = { error: undefined };
  call.then(
    (answer) => {
      failure.error = `it answered ${JSON.stringify(answer)}`;
    },
    (error: unknown) => {
      failure.error = error;
    },
  );
  return failure;
}
