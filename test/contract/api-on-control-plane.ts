// A real API server as the target of the API's contract.
import { readFile } from 'node:fs/promises';
import { planAddresses } from '../control-plane/addresses.ts';
import { ControlPlane } from '../control-plane/cluster.ts';
import { readRecord } from '../control-plane/cluster-directory.ts';
import { healthUrl } from '../control-plane/components.ts';
import type { ApiTarget } from './target.ts';

/** Starts a control plane without nodes. */
export async function startRealApi(): Promise<ApiTarget> {
  const cluster = await ControlPlane.start({ nodes: 0 });
  const user = 'stranger';
  return {
    kubeconfig: await readFile(cluster.kubeconfigPath, 'utf8'),
    stranger: { user, kubeconfig: await readFile(await cluster.clientKubeconfig({ user }), 'utf8') },
    async forgetHistory() {
      // With time both happen by themselves: etcd is compacted, and the caches of the API server lose what is old.
      await compact(etcdUrl(cluster.dir));
      cluster.killApiServer();
      await cluster.startApiServer();
    },
    close: () => cluster.stop(),
  };
}

function etcdUrl(dir: string): string {
  const record = readRecord(dir);
  if (record === undefined) throw new Error(`expected a running cluster in ${dir}, found none`);
  const addresses = planAddresses(record.slot);
  return new URL('/', healthUrl('etcd', addresses)).href;
}

/** Brings etcd to forget everything before its current revision. */
async function compact(etcd: string): Promise<void> {
  const call = async (method: string, body: object): Promise<{ header: { revision: string } }> => {
    const answer = await fetch(new URL(`/v3/kv/${method}`, etcd), {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!answer.ok)
      throw new Error(`expected etcd to take ${method}, found ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as { header: { revision: string } };
  };
  const { header } = await call('range', { key: Buffer.from('/').toString('base64') });
  await call('compaction', { revision: header.revision, physical: true });
}
