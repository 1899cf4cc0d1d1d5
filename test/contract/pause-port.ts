// What is kept of a pause, in memory and on a simulated API server: what the controllers' own tests rely on.
import { connect, type PausableLease, type PauseStore } from '@liberator/core';
import { resources, Simulator, seededRandom, VirtualClock } from '@liberator/simulator';
import { beforeEach, describe, expect, it } from 'vitest';
import { endlessTerm } from '../../packages/core/src/testing/dead-node.ts';
import { MemoryLease } from '../../packages/core/src/testing/memory-lease.ts';
import { MemoryPauseStore } from '../../packages/core/src/testing/memory-pause-store.ts';

interface PausePort {
  readonly clock: VirtualClock;
  readonly store: PauseStore;
  makeLease(): void;
  renewLease(): void;
  deleteLease(): void;
  lease(): PausableLease | undefined;
}

const election = { namespace: 'default', name: 'liberator' };
const tester = { user: 'tester' };

export async function startPauseInMemory(): Promise<PausePort> {
  const clock = new VirtualClock();
  const lease = new MemoryLease(clock);
  return {
    clock,
    store: new MemoryPauseStore(lease),
    makeLease: () => lease.put({ holderIdentity: 'a' }),
    renewLease: () => lease.put({ renewTime: String(clock.now()) }),
    deleteLease: () => lease.delete(),
    lease: () => lease.current && { ...lease.current, annotations: lease.annotations },
  };
}

export async function startPauseOnSimulator(): Promise<PausePort> {
  const clock = new VirtualClock();
  const simulator = await Simulator.start({ clock, random: seededRandom('pause port'), nodes: 0 });
  const transport = simulator.transport({ user: 'agent' });
  const { pauseStore } = connect({
    transport,
    leaseTransport: transport,
    namespace: election.namespace,
    election,
    identity: 'agent-1',
    clock,
    random: seededRandom('agent'),
  });
  const { store } = simulator;
  const change = (to: object): void =>
    void store.modify<object>(
      resources.leases,
      election.namespace,
      election.name,
      (draft) => {
        Object.assign(draft, to);
        return true;
      },
      tester,
    );
  return {
    clock,
    store: pauseStore,
    makeLease: () => void store.create(resources.leases, { metadata: election, spec: {} }, tester),
    renewLease: () => change({ spec: { holderIdentity: `a ${clock.now()}` } }),
    deleteLease: () => void store.delete(resources.leases, election.namespace, election.name, {}, tester),
    lease: () => store.find(resources.leases, election.namespace, election.name)?.metadata,
  };
}

export function describePausePort(where: string, start: () => Promise<PausePort>): void {
  describe(`a kept pause, ${where}`, () => {
    let port: PausePort;
    beforeEach(async () => {
      port = await start();
    });
    const until = <T>(promise: Promise<T>): Promise<T> => port.clock.runUntilSettled(promise);
    const term = () => endlessTerm(port.clock, 3);
    const pause = (reason: string) => ({ reason, leaseUid: 'u' });

    it('is not there at first, and forgetting it then is no failure', async () => {
      expect(await until(port.store.read())).toBeUndefined();
      await until(port.store.keep(term(), undefined));
      expect(await until(port.store.read())).toBeUndefined();
    });

    it('is what was kept last, until it is forgotten', async () => {
      for (const reason of ['storage', 'switch', '']) {
        await until(port.store.keep(term(), pause(reason)));
        expect(await until(port.store.read())).toEqual(pause(reason));
      }
      await until(port.store.keep(term(), undefined));
      expect(await until(port.store.read())).toBeUndefined();
    });

    it('outlives the Lease', async () => {
      port.makeLease();
      await until(port.store.keep(term(), pause('storage')));
      port.deleteLease();
      expect(await until(port.store.read())).toEqual(pause('storage'));
    });

    it('shows on a Lease again, which stays as it is otherwise', async () => {
      port.makeLease();
      const before = port.lease();
      if (before === undefined) throw new Error('there is no Lease');
      await until(port.store.restore(term(), before, 'storage'));
      expect(port.lease()).toMatchObject({
        uid: before.uid,
        annotations: { 'liberator.dev/paused': 'storage' },
      });
      expect(port.lease()?.resourceVersion).not.toBe(before.resourceVersion);
    });

    it('is not put on a Lease that is no longer what was seen, or is gone, which is no failure', async () => {
      port.makeLease();
      const before = port.lease();
      if (before === undefined) throw new Error('there is no Lease');
      await port.clock.advance(1_000);
      port.renewLease();
      await until(port.store.restore(term(), before, 'storage'));
      expect(port.lease()?.annotations?.['liberator.dev/paused']).toBeUndefined();
      port.deleteLease();
      await until(port.store.restore(term(), before, 'storage'));
      expect(port.lease()).toBeUndefined();
    });
  });
}
