// Where the status document lies in the cluster: in a ConfigMap beside the records, so that whoever may read it there
// needs nothing but the API server.

import { KubernetesClient } from '../kubernetes/client.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../kubernetes/errors.ts';
import type { ConfigMap } from '../kubernetes/objects.ts';
import type { CallOptions, KubernetesReader } from '../kubernetes/reader.ts';
import { configMaps } from '../kubernetes/resources.ts';
import type { Transport } from '../kubernetes/transport.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import { limitsOf, writeInTerm } from '../term/write-in-term.ts';
import type { Clock, Random } from '../time/clock.ts';
import { parseStatus, type StatusDocument } from './status-document.ts';
import type { StatusStore } from './status-publisher.ts';

const dataKey = 'status.json';

/** Name of the ConfigMap: replicas that elect one leader have one status. */
function statusName(electionName: string): string {
  return `${electionName}-status`;
}

/** Options of {@link createStatusStore}. */
export interface StatusStoreOptions {
  /** Stays the caller's to close. */
  readonly transport: Transport;
  /** Where takeover records are kept, too. */
  readonly namespace: string;
  /** Beside whose Lease the status is kept. */
  readonly election: { readonly name: string };
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Draws jitter. Default {@link systemRandom}. */
  readonly random?: Random;
}

/** Keeps the status in a ConfigMap. What it needs is allowed to whoever may keep takeover records. */
export function createStatusStore(options: StatusStoreOptions): StatusStore {
  const { transport, namespace, election, ...ports } = options;
  const client = new KubernetesClient({ transport, ...ports });
  const name = statusName(election.name);
  const at = { resource: configMaps, namespace };
  /** What the last write left behind: another one can go by it without reading first. */
  let own: { readonly term: LeaderTerm; readonly resourceVersion: string } | undefined;

  const read = async (term: LeaderTerm): Promise<ConfigMap | undefined> => {
    try {
      return await client.get(configMaps, { namespace, name }, limitsOf(term));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  const create = (term: LeaderTerm, document: StatusDocument): Promise<ConfigMap> => {
    const metadata = { namespace, name, labels: { 'app.kubernetes.io/managed-by': 'liberator' } };
    const body = { apiVersion: 'v1', kind: configMaps.kind, metadata, data: encoded(document) };
    return writeInTerm<ConfigMap>(client, term, { ...at, verb: 'create', body });
  };

  const replace = (term: LeaderTerm, resourceVersion: string, document: StatusDocument): Promise<ConfigMap> =>
    writeInTerm<ConfigMap>(client, term, {
      ...at,
      name,
      verb: 'patch',
      contentType: 'application/merge-patch+json',
      body: { metadata: { resourceVersion }, data: encoded(document) },
    });

  const write = async (term: LeaderTerm, document: StatusDocument): Promise<ConfigMap | 'conflict'> => {
    if (own?.term === term) return replace(term, own.resourceVersion, document);
    const there = await read(term);
    if (there === undefined) return create(term, document);
    const epoch = parseStatus(there.data?.[dataKey])?.leader.epoch ?? -1;
    return epoch > term.epoch ? 'conflict' : replace(term, there.metadata.resourceVersion, document);
  };

  return {
    async publish(term, document) {
      try {
        const written = await write(term, document);
        if (written === 'conflict') return 'conflict';
        own = { term, resourceVersion: written.metadata.resourceVersion };
        return 'written';
      } catch (error) {
        own = undefined;
        if (isConflict(error) || isAlreadyExists(error) || isNotFound(error)) return 'conflict';
        throw error;
      }
    },
  };
}

function encoded(document: StatusDocument): Record<string, string> {
  return { [dataKey]: JSON.stringify(document) };
}

/** What the leader published last; undefined when nobody did, or in a version that is not understood. */
export async function readStatus(
  reader: KubernetesReader,
  at: { readonly namespace: string; readonly election: { readonly name: string } },
  options: CallOptions = {},
): Promise<StatusDocument | undefined> {
  const { namespace, election } = at;
  try {
    const found = await reader.get(configMaps, { namespace, name: statusName(election.name) }, options);
    return parseStatus(found.data?.[dataKey]);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
