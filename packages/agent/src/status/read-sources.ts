// Reads what a status is put together from. All of it lies in one namespace, and needs nothing but the API server.
import {
  isForbidden,
  isNotFound,
  type KubernetesReader,
  type Lease,
  leases,
  nodes,
  readStatus,
  readTakeovers,
} from '@liberator/core';
import type { Place } from '../cluster/place.ts';
import { exitCode } from '../process/exit-code.ts';
import { FatalError } from '../process/failure.ts';
import type { NodeReadiness, StatusSources } from './status-view.ts';

const limits = { timeoutMs: 10_000 } as const;

/** @throws {@link FatalError} where there is no trace of Liberator at all; as every read does. */
export async function readSources(reader: KubernetesReader, place: Place): Promise<StatusSources> {
  const [lease, document, { records, unreadable }] = await Promise.all([
    readLease(reader, place),
    readStatus(reader, place, limits),
    readTakeovers(reader, place.namespace, limits),
  ]);
  const onRecord = records.length + unreadable.length;
  if (lease === undefined && document === undefined && onRecord === 0) throw nothingThere(place);
  const sources = { namespace: place.namespace, lease, document, records, setAside: unreadable };
  if (document !== undefined) return sources;
  return { ...sources, readiness: await readReadiness(reader) };
}

async function readLease(reader: KubernetesReader, { election }: Place): Promise<Lease | undefined> {
  try {
    return await reader.get(leases, election, limits);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Nobody has to be allowed to list Nodes to ask for a status. */
async function readReadiness(reader: KubernetesReader): Promise<readonly NodeReadiness[]> {
  try {
    const { items } = await reader.list(nodes, limits);
    return items.map(({ metadata, status }) => ({
      name: metadata.name,
      ready: status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'not said',
    }));
  } catch (error) {
    if (isForbidden(error)) return [];
    throw error;
  }
}

function nothingThere({ namespace, election }: Place): FatalError {
  const message =
    `found nothing of Liberator in namespace ${namespace}: no Lease ${election.name}, no status, no takeovers; ` +
    'say where it is with --namespace and --election';
  return new FatalError(message, { code: 'LIBERATOR_NOT_FOUND', exitCode: exitCode.failed });
}
