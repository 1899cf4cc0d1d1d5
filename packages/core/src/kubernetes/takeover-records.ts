// How a takeover's record lies in the cluster: one ConfigMap each, so that no custom resource has to be installed.
import type { RecordListing, StoredRecord, UnreadableRecord } from '../takeover/cluster.ts';
import type { TakeoverRecord } from '../takeover/record.ts';
import type { ConfigMap } from './objects.ts';
import type { KubernetesReader, ReadOptions } from './reader.ts';
import { configMaps } from './resources.ts';

const dataKey = 'record.json';
const namePrefix = 'liberator-takeover-';
const stateLabel = 'liberator.dev/takeover';

/** Selects the ConfigMaps that hold records. */
export const recordSelector: string = stateLabel;

export function recordName(id: string): string {
  return `${namePrefix}${id}`;
}

/** The ConfigMap to write; with a version, the write is conditional on it. */
export function encodeRecord(namespace: string, record: TakeoverRecord, resourceVersion?: string): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace,
      name: recordName(record.id),
      ...(resourceVersion !== undefined && { resourceVersion }),
      labels: {
        'app.kubernetes.io/managed-by': 'liberator',
        [stateLabel]: record.result ?? 'running',
      },
      annotations: { 'liberator.dev/node': record.node.name },
    },
    data: { [dataKey]: JSON.stringify(record, undefined, 2) },
  };
}

/** Undefined when the ConfigMap does not hold a record of a version that is understood: somebody else's, or a newer one. */
export function decodeRecord(configMap: ConfigMap): StoredRecord | undefined {
  try {
    const record: unknown = JSON.parse(configMap.data?.[dataKey] ?? '');
    if (!isRecord(record) || recordName(record.id) !== configMap.metadata.name) return undefined;
    return stored(record, configMap);
  } catch {
    return undefined;
  }
}

/** A record as the ConfigMap has it that was just read or written. */
export function stored(record: TakeoverRecord, { metadata }: ConfigMap): StoredRecord {
  return { record, resourceVersion: metadata.resourceVersion, annotations: metadata.annotations ?? {} };
}

/** What can be read of all that lies where records lie, and what can't. */
export function listingOf(configMaps: readonly ConfigMap[]): RecordListing {
  const records: StoredRecord[] = [];
  const unreadable: UnreadableRecord[] = [];
  for (const configMap of configMaps) {
    const record = decodeRecord(configMap);
    if (record !== undefined) records.push(record);
    else {
      const { name, annotations } = configMap.metadata;
      const node = annotations?.['liberator.dev/node'];
      unreadable.push({ name, node, kind: 'damaged', problem: 'it holds no record that is understood' });
    }
  }
  return { records, unreadable };
}

/** Every record of a version that is understood, the newest takeover first. */
export async function readTakeoverRecords(
  reader: KubernetesReader,
  namespace: string,
  options: ReadOptions = {},
): Promise<readonly TakeoverRecord[]> {
  const { items } = await reader.list(configMaps, { namespace, labelSelector: recordSelector, ...options });
  const records = items.flatMap((item) => decodeRecord(item)?.record ?? []);
  return records.toSorted((a, b) => b.openedAt.localeCompare(a.openedAt));
}

/** One more than the highest epoch on record: where a new election Lease has to go on after the old one was deleted. */
export async function epochAfterRecords(reader: KubernetesReader, namespace: string): Promise<number> {
  const { items } = await reader.list(configMaps, { namespace, labelSelector: recordSelector });
  return items.reduce((least, item) => Math.max(least, (decodeRecord(item)?.record.epoch ?? -1) + 1), 0);
}

function isRecord(value: unknown): value is TakeoverRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { version, id, deathId, epoch, steps, pods } = value as Partial<TakeoverRecord>;
  return (
    version === 1 &&
    typeof id === 'string' &&
    typeof deathId === 'string' &&
    typeof epoch === 'number' &&
    typeof steps === 'object' &&
    steps !== null &&
    Array.isArray(pods)
  );
}
