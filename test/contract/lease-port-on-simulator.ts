// The election Lease as it is in a real cluster, on a simulated one.
import { createLeaseStore } from '@liberator/core';
import { resources, Simulator, seededRandom, VirtualClock } from '@liberator/simulator';
import type { LeasePort } from './lease-port.ts';

const at = { namespace: 'default', name: 'liberator' };
const tester = { user: 'tester' };
const agent = 'agent';

export async function startLeaseOnSimulator(): Promise<LeasePort> {
  const clock = new VirtualClock();
  const simulator = await Simulator.start({ clock, random: seededRandom('lease port'), nodes: 0 });
  const transport = simulator.transport({ user: agent });
  const match = { user: agent };
  return {
    store: createLeaseStore({ transport, clock, random: seededRandom('agent'), ...at }),
    pass: (ms) => clock.advance(ms),
    async close() {
      await transport.close();
      await simulator.stop();
    },
    touch: () =>
      void simulator.store.modify<{ metadata: { annotations?: object } }>(
        resources.leases,
        at.namespace,
        at.name,
        (lease) => {
          lease.metadata.annotations = { 'liberator.dev/paused': 'for the test' };
          return true;
        },
        tester,
      ),
    remove: () => void simulator.store.delete(resources.leases, at.namespace, at.name, {}, tester),
    hang: () => void simulator.faults.add({ match, effect: { kind: 'hang' } }),
    loseNextAnswer: () =>
      void simulator.faults.add({ match, effect: { kind: 'drop', moment: 'after' }, times: 1 }),
    hear: () => simulator.faults.clear(),
  };
}
