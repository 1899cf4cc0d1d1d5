// Where a pause is kept beside the election Lease: in a ConfigMap of its own, which nobody deletes together with a Lease.

import type { KubernetesClient } from '../kubernetes/client.ts';
import { isConflict, isNotFound } from '../kubernetes/errors.ts';
import type { ConfigMap } from '../kubernetes/objects.ts';
import { configMaps, leases } from '../kubernetes/resources.ts';
import { pausedAnnotation } from '../marks/paused.ts';
import { limitsOf, writeInTerm } from '../term/write-in-term.ts';
import { type PauseStore, pauseIn, pauseName } from './global-pause.ts';

const mergePatch = 'application/merge-patch+json';

export interface PauseStoreOptions {
  readonly client: KubernetesClient;
  /** Where takeover records are kept, too. */
  readonly namespace: string;
  readonly election: { readonly namespace: string; readonly name: string };
}

/** What it needs is allowed to whoever may keep takeover records and hold the election. */
export function createPauseStore({ client, namespace, election }: PauseStoreOptions): PauseStore {
  const name = pauseName(election.name);
  const at = { resource: configMaps, namespace };

  const find = async (options: {
    readonly signal?: AbortSignal;
    readonly timeoutMs?: number;
  }): Promise<ConfigMap | undefined> => {
    try {
      return await client.get(configMaps, { namespace, name }, options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  return {
    async read(options = {}) {
      const found = await find(options);
      return found && pauseIn(found);
    },
    async keep(term, pause) {
      const there = await find(limitsOf(term));
      if (there === undefined) {
        if (pause === undefined) return;
        const metadata = { namespace, name, labels: { 'app.kubernetes.io/managed-by': 'liberator' } };
        const body = { apiVersion: 'v1', kind: configMaps.kind, metadata, data: { ...pause } };
        await writeInTerm(client, term, { ...at, verb: 'create', body });
        return;
      }
      const { uid, resourceVersion } = there.metadata;
      if (pause !== undefined) {
        const body = { metadata: { uid, resourceVersion }, data: { ...pause } };
        await writeInTerm(client, term, { ...at, name, verb: 'patch', contentType: mergePatch, body });
        return;
      }
      try {
        const body = { preconditions: { uid, resourceVersion } };
        await writeInTerm(client, term, { ...at, name, verb: 'delete', body });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
    async restore(term, { uid, resourceVersion }, reason) {
      try {
        await writeInTerm(client, term, {
          resource: leases,
          namespace: election.namespace,
          name: election.name,
          verb: 'patch',
          contentType: mergePatch,
          body: { metadata: { uid, resourceVersion, annotations: { [pausedAnnotation]: reason } } },
        });
      } catch (error) {
        // Renewed, marked by somebody else, or deleted meanwhile: whoever still has to will see it and try again.
        if (!isConflict(error) && !isNotFound(error)) throw error;
      }
    },
  };
}
