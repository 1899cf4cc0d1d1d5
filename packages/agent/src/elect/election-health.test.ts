import {
  type Clock,
  KubernetesError,
  type LeaseRecord,
  type LeaseSnapshot,
  type LeaseStore,
  leases,
  systemClock,
  TransportError,
} from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { ElectionHealth } from './election-health.ts';

const record: LeaseRecord = {
  holderIdentity: 'a',
  leaseDurationSeconds: 10,
  leaseTransitions: 0,
  acquireTime: '',
  renewTime: '',
};
const snapshot: LeaseSnapshot = { record, uid: 'u', resourceVersion: '1' };
const limits = { timeoutMs: 1_000, signal: new AbortController().signal };
const forbidden = new KubernetesError(
  { verb: 'patch', resource: leases },
  {
    status: 403,
    body: {
      reason: 'Forbidden',
      message: 'User "eve" cannot patch resource "leases" in API group "coordination.k8s.io"',
    },
  },
);

/** A candidate of an election of ten seconds, and the store that answers it. */
function candidate() {
  const time = { now: 1_000 };
  const clock: Clock = { ...systemClock, now: () => time.now };
  const stop = new AbortController();
  const health = new ElectionHealth({ leaseDurationMs: 10_000, stop: stop.signal, clock });
  const found: { read: LeaseSnapshot | undefined; failure: unknown } = { read: snapshot, failure: undefined };
  const answer = async <T>(value: T): Promise<T> => {
    if (found.failure !== undefined) throw found.failure;
    return value;
  };
  const server: LeaseStore = {
    read: () => answer(found.read),
    create: () => answer({ outcome: 'written', snapshot } as const),
    update: () => answer({ outcome: 'written', snapshot } as const),
  };
  return { time, stop, health, found, store: health.watching(server) };
}

describe('readiness', () => {
  it('waits for the first sight of the Lease', async () => {
    const { health, store, found } = candidate();
    expect(health.readiness()).toEqual({ ok: false, lines: ['failed: the Lease has not been seen yet'] });
    found.read = undefined;
    await store.read(limits);
    expect(health.readiness().ok).toBe(false);
    found.read = snapshot;
    await store.read(limits);
    expect(health.readiness()).toEqual({ ok: true, lines: ['ok: the Lease was last seen 0s ago'] });
  });

  it.each(['create', 'update'] as const)('counts what it wrote itself as seen: %s', async (verb) => {
    const { health, store } = candidate();
    await (verb === 'create' ? store.create(record, limits) : store.update(snapshot, record, limits));
    expect(health.readiness().ok).toBe(true);
  });

  it('fails once the Lease has not been seen for as long as it lasts, and not at the first trouble', async () => {
    const { health, store, found, time } = candidate();
    await store.read(limits);
    found.failure = new TransportError('away', { sent: false });
    await expect(store.read(limits)).rejects.toThrow('away');
    time.now += 10_000;
    expect(health.readiness().ok).toBe(true);
    time.now += 100;
    expect(health.readiness()).toEqual({
      ok: false,
      lines: ['failed: the Lease was last seen 10s100ms ago'],
    });
  });

  it('fails while the API server refuses something, however well the Lease can be seen', async () => {
    const { health, store, found, time } = candidate();
    found.failure = forbidden;
    await expect(store.update(snapshot, record, limits)).rejects.toBe(forbidden);
    found.failure = undefined;
    await store.read(limits);
    expect(health.readiness().lines).toEqual([
      'ok: the Lease was last seen 0s ago',
      expect.stringMatching(/^failed: not allowed to patch leases/),
    ]);
    expect(health.readiness().ok).toBe(false);
    time.now += 5_000;
    await store.read(limits);
    expect(health.readiness().ok).toBe(false);
  });

  it('forgets a refusal with the next write that goes through, or that nobody repeats', async () => {
    const { health, store, found, time } = candidate();
    const refuse = async (): Promise<void> => {
      found.failure = forbidden;
      await expect(store.update(snapshot, record, limits)).rejects.toBe(forbidden);
      found.failure = undefined;
    };
    await refuse();
    await store.update(snapshot, record, limits);
    expect(health.readiness().ok).toBe(true);
    await refuse();
    time.now += 10_001;
    await store.read(limits);
    expect(health.readiness().ok).toBe(true);
  });

  it('fails while stopping', async () => {
    const { health, store, stop } = candidate();
    await store.read(limits);
    stop.abort();
    expect(health.readiness()).toEqual({ ok: false, lines: ['failed: stopping'] });
  });
});

describe('liveness', () => {
  it('fails once nobody asks for the Lease any more, whatever was answered', async () => {
    const { health, store, found, time } = candidate();
    found.failure = new TransportError('away', { sent: false });
    time.now += 50_000;
    expect(health.liveness().ok).toBe(true);
    await expect(store.read(limits)).rejects.toThrow('away');
    time.now += 50_000;
    expect(health.liveness().ok).toBe(true);
    time.now += 1;
    expect(health.liveness()).toEqual({
      ok: false,
      lines: ['failed: the Lease was last asked for 50s ago; more than 50s ago would mean that it hangs'],
    });
  });

  it('is well while stopping, which has a limit of its own', () => {
    const { health, stop, time } = candidate();
    time.now += 1_000_000;
    stop.abort();
    expect(health.liveness()).toEqual({ ok: true, lines: ['ok: stopping'] });
  });
});
