// The election Lease on a real API server. The only writes without a term: they are what makes one.

import { KubernetesClient, type KubernetesClientOptions } from '../kubernetes/client.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../kubernetes/errors.ts';
import type { Lease } from '../kubernetes/objects.ts';
import { leases } from '../kubernetes/resources.ts';
import type {
  LeaseRecord,
  LeaseRequestOptions,
  LeaseSnapshot,
  LeaseStore,
  LeaseWriteResult,
} from './lease-record.ts';

/** Options of {@link createLeaseStore}. */
export interface LeaseStoreOptions extends KubernetesClientOptions {
  /** Where the Lease is. */
  readonly namespace: string;
  /** The Lease's name; all candidates of one election share it. */
  readonly name: string;
}

/**
 * The Lease of an election. Give it a transport of its own, so that bulk traffic can't delay a renewal; it stays the
 * caller's to close. Its identity needs the verbs `get`, `create` and `patch` on that Lease.
 *
 * @example
 * ```ts
 * const transport = createTransport(loadKubeConfig(), { purpose: 'election' });
 * const store = createLeaseStore({ transport, namespace: 'default', name: 'my-election' });
 * await new LeaderElector({ store, identity }).run(work, signal);
 * ```
 */
export function createLeaseStore(options: LeaseStoreOptions): LeaseStore {
  const { namespace, name } = options;
  const client = new KubernetesClient(options);
  // Held back by a busy server's word, a leader would lose its term, and the next one would read everything anew: more
  // load than a renewal every other second. The elector paces itself.
  const at = { resource: leases, namespace, direct: true };

  const write = async (
    attempt: Promise<Lease>,
    isLostRace: (error: unknown) => boolean,
  ): Promise<LeaseWriteResult> => {
    try {
      return { outcome: 'written', snapshot: snapshotOf(await attempt) };
    } catch (error) {
      if (isConflict(error) || isLostRace(error)) return { outcome: 'conflict' };
      throw error;
    }
  };

  return {
    async read({ timeoutMs, signal }: LeaseRequestOptions) {
      try {
        return snapshotOf(await client.request<Lease>({ ...at, name, verb: 'get', timeoutMs, signal }));
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    // A 404 here is about the namespace, and nobody would ever lead if that passed for a lost race.
    create: (record, { timeoutMs, signal }, annotations) =>
      write(
        client.request<Lease>({
          ...at,
          verb: 'create',
          body: {
            apiVersion: 'coordination.k8s.io/v1',
            kind: 'Lease',
            metadata: { namespace, name, ...(annotations && { annotations }) },
            spec: record,
          },
          timeoutMs,
          signal,
        }),
        isAlreadyExists,
      ),
    // A patch, not a replacement: labels and annotations of the Lease, our own pause mark among them, belong to people.
    update: (seen, record, { timeoutMs, signal }) =>
      write(
        client.request<Lease>({
          ...at,
          name,
          verb: 'patch',
          contentType: 'application/merge-patch+json',
          body: { metadata: { uid: seen.uid, resourceVersion: seen.resourceVersion }, spec: record },
          timeoutMs,
          signal,
        }),
        isNotFound,
      ),
  };
}

function snapshotOf(lease: Lease): LeaseSnapshot {
  const spec = lease.spec ?? {};
  const record: LeaseRecord = {
    holderIdentity: spec.holderIdentity ?? '',
    leaseDurationSeconds: spec.leaseDurationSeconds ?? 0,
    leaseTransitions: spec.leaseTransitions ?? 0,
    acquireTime: spec.acquireTime ?? '',
    renewTime: spec.renewTime ?? '',
  };
  return { record, uid: lease.metadata.uid, resourceVersion: lease.metadata.resourceVersion };
}
