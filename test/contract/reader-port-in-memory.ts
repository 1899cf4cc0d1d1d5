// The reader in memory on which core tests its controller, held against the contract of its port.
import { configMaps, type KubernetesObject, nodes, TransportError } from '@liberator/core';
import { ManualClock } from '../../packages/core/src/testing/manual-clock.ts';
import { MemoryReader } from '../../packages/core/src/testing/memory-reader.ts';
import type { ReaderPort, Thing } from './reader-port.ts';

export async function startReaderInMemory(): Promise<ReaderPort> {
  const clock = new ManualClock({ turns: 1 });
  const reader = new MemoryReader(clock);
  let puts = 0;
  const objectOf = ({ name, namespace = 'default', labels, value = '' }: Thing): KubernetesObject => {
    const uid = `uid-${namespace}-${name}`;
    const metadata = { name, namespace, uid, resourceVersion: String(++puts), ...(labels && { labels }) };
    return { metadata, ...{ data: { value } } };
  };
  return {
    reader,
    pass: (ms) => clock.advance(ms),
    close: async () => {},
    put: (thing) => reader.put(configMaps, objectOf(thing)),
    remove: (thing) => reader.remove(configMaps, objectOf(thing)),
    putNode: (name) =>
      reader.put(nodes, { metadata: { name, uid: `uid-${name}`, resourceVersion: String(++puts) } }),
    forget: () => reader.forgetHistory(),
    deafen() {
      reader.deaf = () => true;
    },
    breakDown: () => reader.fail(new TransportError('the connection broke', { sent: true })),
    recover() {
      reader.deaf = () => false;
      reader.fail(undefined);
    },
  };
}
