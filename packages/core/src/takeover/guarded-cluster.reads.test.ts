// How often many takeovers at once ask an API server for the same.
import { describe, expect, it } from 'vitest';
import { KubernetesClient } from '../kubernetes/client.ts';
import type { Transport } from '../kubernetes/transport.ts';
import { endlessTerm } from '../testing/dead-node.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { GuardedCluster } from './guarded-cluster.ts';

function setUp() {
  const paths: string[] = [];
  const items = ['node-1', 'node-2'].map((nodeName) => ({
    metadata: { name: nodeName },
    spec: { nodeName },
  }));
  const transport: Transport = {
    async send({ path }) {
      paths.push(path);
      const bytes = Buffer.from(JSON.stringify({ metadata: { resourceVersion: '1' }, items }));
      await new Promise((resolve) => setImmediate(resolve));
      return {
        status: 200,
        body: (async function* () {
          yield bytes;
        })(),
      };
    },
    async close() {},
  };
  const clock = new ManualClock();
  const client = new KubernetesClient({ transport, clock, random: { next: () => 0 } });
  const cluster = new GuardedCluster({ client, clock, namespace: 'liberator', identity: 'agent-1' });
  return { paths, cluster, clock };
}

describe('the attachments of many nodes', () => {
  it('are one list for all who ask while another one is under way', async () => {
    const { paths, cluster, clock } = setUp();
    const term = endlessTerm(clock, 1);
    const asked = Array.from({ length: 750 }, (_, i) => cluster.listAttachmentsOn(term, `node-${i}`));
    const answers = await Promise.all(asked);
    expect(paths).toHaveLength(2);
    expect(answers.map((of) => of.length).slice(0, 4)).toEqual([0, 1, 1, 0]);
  });

  it('are not shared between two terms', async () => {
    const { paths, cluster, clock } = setUp();
    const asked = [1, 2].map((epoch) => cluster.listAttachmentsOn(endlessTerm(clock, epoch), 'node-1'));
    await Promise.all(asked);
    expect(paths).toHaveLength(2);
  });
});
