// Questions to an API server before anything is trusted to it: which version it is, and whether an election could be held.
import { KubernetesClient, type RequestOptions } from '../kubernetes/client.ts';
import { isNotFound } from '../kubernetes/errors.ts';
import type { Lease } from '../kubernetes/objects.ts';
import { leases } from '../kubernetes/resources.ts';
import type { AskOptions } from './permissions.ts';

/** `v1.36.3`. @throws as every read does; `''` when the server does not say. */
export async function serverVersion({
  transport,
  signal,
  timeoutMs = 10_000,
  ...ports
}: AskOptions): Promise<string> {
  const client = new KubernetesClient({ transport, ...ports });
  return (await client.version({ signal, timeoutMs })).gitVersion ?? '';
}

/**
 * Writes the election Lease without anything being written (`dryRun=All`): the server checks permissions and admission,
 * and keeps nothing. Says whether the Lease is there or would have been created.
 *
 * @throws as every write does, when the server would not have taken it
 */
export async function tryElectionLease(
  options: AskOptions & { readonly election: { readonly namespace: string; readonly name: string } },
): Promise<'there' | 'would be created'> {
  const { transport, signal, timeoutMs = 10_000, election, ...ports } = options;
  const { namespace, name } = election;
  const client = new KubernetesClient({ transport, ...ports });
  const dryRun = { resource: leases, namespace, query: { dryRun: 'All' }, signal, timeoutMs } as const;
  const patch: RequestOptions = {
    ...dryRun,
    verb: 'patch',
    name,
    contentType: 'application/merge-patch+json',
    // Nothing in it: even a server that knows no dry run keeps the Lease as it is.
    body: {},
  };
  try {
    await client.request<Lease>(patch);
    return 'there';
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  await client.request<Lease>({
    ...dryRun,
    verb: 'create',
    body: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: leases.kind,
      metadata: { namespace, name },
      spec: {},
    },
  });
  return 'would be created';
}
