// A human's word on a real API server, written without a term: with that human's credentials, and nothing but annotations.

import { KubernetesClient, type RequestOptions } from '../kubernetes/client.ts';
import { isConflict, isNotFound } from '../kubernetes/errors.ts';
import {
  configMaps,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type Resource,
} from '../kubernetes/resources.ts';
import type { Transport } from '../kubernetes/transport.ts';
import { confirmedByAnnotation, confirmedDeadAnnotation } from '../marks/confirmed.ts';
import type { WriteOutcome } from '../takeover/cluster.ts';
import { recordName } from '../takeover/records/names.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../time/clock.ts';
import type { Confirmation, ConfirmationCluster } from './cluster.ts';

/** Options of {@link connectConfirmation}. */
export interface ConfirmationConnectOptions {
  /** Carries the credentials of whoever vouches. Stays the caller's to close. */
  readonly transport: Transport;
  /** Where takeover records are kept. */
  readonly namespace: string;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Draws jitter. Default {@link systemRandom}. */
  readonly random?: Random;
}

/** The Kubernetes side of `liberator confirm` over the given transport. */
export function connectConfirmation(options: ConfirmationConnectOptions): ConfirmationCluster {
  const { transport, namespace, clock = systemClock, random = systemRandom } = options;
  const client = new KubernetesClient({ transport, clock, random });
  const limits = { timeoutMs: 10_000 } as const;

  const read = async <T>(
    resource: Resource<T>,
    at: { namespace?: string; name: string },
  ): Promise<T | undefined> => {
    try {
      return await client.get(resource, at, limits);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  const annotate = async (
    at: Pick<RequestOptions, 'resource' | 'namespace' | 'name'>,
    { deathId, by }: Confirmation,
    preconditions: object = {},
  ): Promise<WriteOutcome> => {
    const annotations = { [confirmedDeadAnnotation]: deathId, [confirmedByAnnotation]: by };
    try {
      await client.request({
        ...at,
        ...limits,
        verb: 'patch',
        contentType: 'application/merge-patch+json',
        body: { metadata: { ...preconditions, annotations } },
      });
      return 'written';
    } catch (error) {
      if (isConflict(error)) return 'conflict';
      if (isNotFound(error)) return 'gone';
      throw error;
    }
  };

  return {
    readNode: (name) => read(nodes, { name }),
    readClaim: (ns, name) => read(persistentVolumeClaims, { namespace: ns, name }),
    readVolume: (name) => read(persistentVolumes, { name }),
    async listPodsOn(node) {
      return (await client.list(pods, { fieldSelector: `spec.nodeName=${node}`, ...limits })).items;
    },
    confirmOnNode({ metadata: { name, uid } }, confirmation) {
      // By uid alone: a Node's status changes all the time, and the word is about the machine.
      return annotate({ resource: nodes, name }, confirmation, { uid });
    },
    confirmOnRecord(takeoverId, confirmation) {
      return annotate({ resource: configMaps, namespace, name: recordName(takeoverId) }, confirmation);
    },
  };
}
