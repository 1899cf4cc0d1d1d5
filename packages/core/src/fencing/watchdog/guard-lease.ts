// The port through which a guard renews its own Lease, and its adapter for a real API server.
import { microTime } from '../../election/lease-record.ts';
import { KubernetesClient, type KubernetesClientOptions } from '../../kubernetes/client.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../kubernetes/errors.ts';
import type { Lease } from '../../kubernetes/objects.ts';
import { leases } from '../../kubernetes/resources.ts';
import { guardOffAnnotation } from './bound.ts';
import { claimAnnotations, type GuardClaim, guardLabel, guardLeaseName } from './guard-claim.ts';

/** A guard's Lease as the API server has it. */
export interface GuardLeaseSnapshot {
  /** Of the Lease. */
  readonly uid: string;
  /** Whoever changes the Lease changes this: a renewal that doesn't is none. */
  readonly resourceVersion: string;
  /** Why people want the watchdog disarmed; undefined when they don't. */
  readonly off?: string;
}

/** How long one request may take, and what ends it. */
export interface GuardRequestOptions {
  /** For how long an answer is waited for, in milliseconds. */
  readonly timeoutMs: number;
  /** Calls the request off. */
  readonly signal: AbortSignal;
}

/** One guard's Lease. What it throws may have been done all the same. */
export interface GuardLeaseStore {
  /** Undefined when there is none yet. */
  read(options: GuardRequestOptions): Promise<GuardLeaseSnapshot | undefined>;
  /**
   * Writes the claim with a new `renewTime`. Creates the Lease where `seen` is undefined; else conditional on its uid and
   * resourceVersion.
   */
  write(
    seen: GuardLeaseSnapshot | undefined,
    claim: GuardClaim,
    options: GuardRequestOptions,
  ): Promise<
    { readonly outcome: 'written'; readonly snapshot: GuardLeaseSnapshot } | { readonly outcome: 'conflict' }
  >;
}

/** Options of {@link createGuardLeaseStore}. */
export interface GuardLeaseStoreOptions extends KubernetesClientOptions {
  /** Where the Lease is. */
  readonly namespace: string;
  /** The Node that is guarded. */
  readonly node: string;
  /** Who renews, for people: the Lease's `holderIdentity`. */
  readonly identity: string;
  /** Wall clock, in milliseconds: for `renewTime`, by which the leader decides nothing. Default `Date.now`. */
  readonly wallTime?: () => number;
}

/** A guard's Lease on a real API server. Its account needs the verbs `get`, `create` and `patch` on it. */
export function createGuardLeaseStore(options: GuardLeaseStoreOptions): GuardLeaseStore {
  const { namespace, node, identity, wallTime = Date.now } = options;
  const name = guardLeaseName(node);
  const client = new KubernetesClient(options);
  // Nothing may hold a renewal back: a server that asks for patience would have machines reset.
  const at = { resource: leases, namespace, direct: true };
  let count = 0;
  const bodyOf = (claim: GuardClaim) => ({
    metadata: { labels: { [guardLabel]: 'true' }, annotations: claimAnnotations(claim) },
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(claim.grantMs / 1_000),
      renewTime: microTime(wallTime(), ++count),
    },
  });
  return {
    async read({ timeoutMs, signal }) {
      try {
        return snapshotOf(await client.request<Lease>({ ...at, name, verb: 'get', timeoutMs, signal }));
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async write(seen, claim, { timeoutMs, signal }) {
      const { metadata, spec } = bodyOf(claim);
      const request =
        seen === undefined
          ? ({
              verb: 'create',
              body: {
                apiVersion: 'coordination.k8s.io/v1',
                kind: 'Lease',
                metadata: { namespace, name, ...metadata },
                spec,
              },
            } as const)
          : ({
              verb: 'patch',
              name,
              contentType: 'application/merge-patch+json',
              body: { metadata: { uid: seen.uid, resourceVersion: seen.resourceVersion, ...metadata }, spec },
            } as const);
      try {
        const lease = await client.request<Lease>({ ...at, ...request, timeoutMs, signal });
        return { outcome: 'written', snapshot: snapshotOf(lease) };
      } catch (error) {
        // That there is none to create it in, is no lost race.
        const lost = seen === undefined ? isAlreadyExists(error) : isConflict(error) || isNotFound(error);
        if (lost) return { outcome: 'conflict' };
        throw error;
      }
    },
  };
}

function snapshotOf({ metadata }: Lease): GuardLeaseSnapshot {
  const { uid, resourceVersion } = metadata;
  const off = metadata.annotations?.[guardOffAnnotation];
  return { uid, resourceVersion, ...(off !== undefined && { off }) };
}
