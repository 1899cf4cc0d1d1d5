// Maintenance on a real API server. The only writes to nodes and pods without a term: a human's, with a human's credentials.

import { KubernetesClient } from '../kubernetes/client.ts';
import {
  isConflict,
  isForbidden,
  isNotFound,
  isTooManyRequests,
  KubernetesError,
} from '../kubernetes/errors.ts';
import type { Pod, PodDisruptionBudget } from '../kubernetes/objects.ts';
import {
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  pods,
  type Resource,
  statefulSets,
} from '../kubernetes/resources.ts';
import type { Transport } from '../kubernetes/transport.ts';
import { maintenanceAnnotation } from '../marks/maintenance.ts';
import { selects } from '../policy/node-selector.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../time/clock.ts';
import type { EvictionAnswer, MaintenanceCluster } from './cluster.ts';

/** The API server answers so when it can't ask one budget, since there are several. */
const severalBudgets = /more than one PodDisruptionBudget/;

/** As often as kubectl asks again. */
const namespaceRetryMs = 5_000;

/** Options of {@link connectMaintenance}. */
export interface MaintenanceConnectOptions {
  /** Carries the credentials of whoever does the maintenance. Stays the caller's to close. */
  readonly transport: Transport;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Draws jitter. Default {@link systemRandom}. */
  readonly random?: Random;
}

/**
 * The Kubernetes side of `cordon`, `drain` and `uncordon` over the given transport.
 *
 * @example
 * ```ts
 * const transport = createTransport(loadKubeConfig({ path: '/home/alice/.kube/config' }));
 * const cluster = connectMaintenance({ transport });
 * await drain({ cluster, node: 'node-1', by: 'alice', onProgress: console.log });
 * ```
 */
export function connectMaintenance(options: MaintenanceConnectOptions): MaintenanceCluster {
  const { transport, clock = systemClock, random = systemRandom } = options;
  const client = new KubernetesClient({ transport, clock, random });

  const read = async <T>(
    resource: Resource<T>,
    at: { namespace?: string; name: string },
    signal: AbortSignal | undefined,
  ): Promise<T | undefined> => {
    try {
      return await client.get(resource, at, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  const cluster: MaintenanceCluster = {
    readNode: (name, signal) => read(nodes, { name }, signal),
    readPod: (namespace, name, signal) => read(pods, { namespace, name }, signal),
    readClaim: (namespace, name, signal) => read(persistentVolumeClaims, { namespace, name }, signal),
    readVolume: (name, signal) => read(persistentVolumes, { name }, signal),
    readStatefulSet: (namespace, name, signal) => read(statefulSets, { namespace, name }, signal),
    async listPodsOn(node, signal) {
      return (await client.list(pods, { fieldSelector: `spec.nodeName=${node}`, signal })).items;
    },
    async listBudgets(namespace, signal) {
      return (await client.list(podDisruptionBudgets, { namespace, signal })).items;
    },
    async changeNode(node, { unschedulable, maintenance }, signal) {
      const { name, uid, resourceVersion } = node.metadata;
      const annotations = maintenance === undefined ? {} : { [maintenanceAnnotation]: maintenance };
      try {
        await client.request({
          verb: 'patch',
          resource: nodes,
          name,
          contentType: 'application/merge-patch+json',
          body: {
            metadata: { uid, resourceVersion, annotations },
            spec: { unschedulable: unschedulable || null },
          },
          signal,
        });
        return 'written';
      } catch (error) {
        if (isConflict(error)) return 'conflict';
        if (isNotFound(error)) return 'gone';
        throw error;
      }
    },
    async evict({ namespace, name, uid }, { gracePeriodSeconds, signal }) {
      try {
        await client.request({
          verb: 'create',
          resource: pods,
          namespace,
          name,
          subresource: 'eviction',
          body: {
            apiVersion: 'policy/v1',
            kind: 'Eviction',
            metadata: { namespace, name },
            deleteOptions: {
              preconditions: { uid },
              ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
            },
          },
          signal,
        });
        return { outcome: 'evicted' };
      } catch (error) {
        if (isNotFound(error)) return { outcome: 'gone' };
        if (isConflict(error)) {
          // Another one has its name, or it just changed: only a look can tell.
          const now = await cluster.readPod(namespace, name, signal);
          const why = wordsOf(error);
          return now?.metadata.uid === uid ? { outcome: 'busy', why, retryAfterMs: 0 } : { outcome: 'gone' };
        }
        const why = refusalIn(error);
        if (why !== undefined) return refused(cluster, { namespace, name, uid }, why, askedBy(error), signal);
        if (isTooManyRequests(error))
          return { outcome: 'busy', why: wordsOf(error), retryAfterMs: askedBy(error) };
        if (!isForbidden(error)) throw error;
        if (isTerminating(error))
          return { outcome: 'busy', why: wordsOf(error), retryAfterMs: namespaceRetryMs };
        return { outcome: 'denied', why: wordsOf(error), error: error as KubernetesError };
      }
    },
  };
  return cluster;
}

/** The server's words when it is a budget that refuses, and not the server that is busy. */
function refusalIn(error: unknown): string | undefined {
  if (!(error instanceof KubernetesError)) return undefined;
  if (error.status === 500 && severalBudgets.test(error.message)) {
    return 'more than one budget covers the pod, and the eviction API can ask only one';
  }
  const cause = error.details?.causes?.find(({ reason }) => reason === 'DisruptionBudget');
  return isTooManyRequests(error) ? cause?.message : undefined;
}

/** In a namespace that is being deleted nothing is created, evictions included. Its pods are deleted one by one. */
function isTerminating(error: unknown): boolean {
  if (!(error instanceof KubernetesError)) return false;
  return error.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false;
}

function wordsOf(error: unknown): string {
  return error instanceof KubernetesError ? error.said : '';
}

function askedBy(error: unknown): number {
  return error instanceof KubernetesError ? (error.retryAfterMs ?? 0) : 0;
}

/**
 * The answer names a budget only in a sentence for people, so which one it was is told by who covers the pod. The server
 * asks the budget before it looks at the uid: the refusal may be about another pod that has the name by now.
 */
async function refused(
  cluster: MaintenanceCluster,
  at: { readonly namespace: string; readonly name: string; readonly uid: string },
  why: string,
  retryAfterMs: number,
  signal: AbortSignal | undefined,
): Promise<EvictionAnswer> {
  const refusal = { outcome: 'refused', why, retryAfterMs } as const;
  try {
    const pod = await cluster.readPod(at.namespace, at.name, signal);
    if (pod?.metadata.uid !== at.uid) return { outcome: 'gone' };
    const budgets = await cluster.listBudgets(at.namespace, signal);
    const covering = budgets.filter((budget) => covers(budget, pod));
    return { ...refusal, budgets: covering.map(({ metadata }) => metadata.name) };
  } catch (error) {
    // Whoever may evict need not be allowed to read budgets. The server's sentence has to do then.
    if (isForbidden(error)) return { ...refusal, budgets: [] };
    throw error;
  }
}

function covers({ spec }: PodDisruptionBudget, { metadata }: Pod): boolean {
  return spec?.selector !== undefined && selects({ ...spec.selector, all: true }, metadata.labels ?? {});
}
