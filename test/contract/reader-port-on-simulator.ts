// The reader as it is in a real cluster, on a simulated one.
import { createReader } from '@liberator/core';
import { resources, Simulator, seededRandom, VirtualClock } from '@liberator/simulator';
import type { ReaderPort, Thing } from './reader-port.ts';

const tester = { user: 'tester' };
const agent = 'agent';

export async function startReaderOnSimulator(): Promise<ReaderPort> {
  const clock = new VirtualClock();
  const simulator = await Simulator.start({ clock, random: seededRandom('reader port'), nodes: 0 });
  const { store } = simulator;
  for (const name of ['alpha', 'omega']) store.create(resources.namespaces, { metadata: { name } }, tester);
  // Whatever Kubernetes puts into a namespace of its own accord.
  await clock.advance(1_000);
  for (const { metadata } of store.list(resources.configmaps))
    store.delete(resources.configmaps, metadata.namespace, metadata.name, {}, tester);
  const transport = simulator.transport({ user: agent });
  const match = { user: agent };
  return {
    reader: createReader({ transport, clock, random: seededRandom('agent') }),
    pass: (ms) => clock.advance(ms),
    async close() {
      await transport.close();
      await simulator.stop();
    },
    put({ name, namespace = 'default', labels = {}, value = '' }: Thing) {
      const wanted = { metadata: { name, namespace, labels }, data: { value } };
      if (store.find(resources.configmaps, namespace, name) === undefined)
        store.create(resources.configmaps, wanted, tester);
      else store.update(resources.configmaps, wanted, tester);
    },
    remove: ({ name, namespace = 'default' }) =>
      void store.delete(resources.configmaps, namespace, name, {}, tester),
    putNode: (name) => void store.create(resources.nodes, { metadata: { name } }, tester),
    forget: () => simulator.forgetHistory(),
    deafen: () => void simulator.faults.add({ match, effect: { kind: 'stall' } }),
    breakDown: () => void simulator.faults.add({ match, effect: { kind: 'refuse' } }),
    recover: () => simulator.faults.clear(),
  };
}
