// How a takeover's record lies in the cluster: one ConfigMap each, so that no custom resource has to be installed.

import type { ConfigMap } from '../../kubernetes/objects.ts';
import type { KubernetesReader, ReadOptions } from '../../kubernetes/reader.ts';
import { configMaps } from '../../kubernetes/resources.ts';
import type { RecordListing, StoredRecord, UnreadableRecord } from '../cluster.ts';
import { byOrder, type TakeoverRecord } from '../record.ts';
import { recordName } from './names.ts';
import { highestEpochIn, readRecordText } from './record-format.ts';

const dataKey = 'record.json';
const stateLabel = 'liberator.dev/takeover';
const nodeAnnotation = 'liberator.dev/node';

/** Selects the ConfigMaps that hold records. */
export const recordSelector: string = stateLabel;

/**
 * The ConfigMap to write; with a version, the write is conditional on it.
 *
 * @throws TypeError when the record could not be read back: it would be set aside as damaged, and its takeover with it.
 */
export function encodeRecord(namespace: string, record: TakeoverRecord, resourceVersion?: string): object {
  const text = JSON.stringify(record, undefined, 2);
  const read = readRecordText(text);
  if ('problem' in read) {
    throw new TypeError(
      `takeover record ${record.id} is not written, it could not be read back: ${read.problem}`,
    );
  }
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
      annotations: { [nodeAnnotation]: record.node.name },
    },
    data: { [dataKey]: text },
  };
}

/** What the ConfigMap holds: a record that is right in every field, or why there is none. */
export function decodeRecord(configMap: ConfigMap): StoredRecord | UnreadableRecord {
  const { name, annotations } = configMap.metadata;
  const read = readRecordText(configMap.data?.[dataKey]);
  if (!('record' in read)) {
    return { name, kind: read.kind, problem: read.problem, node: read.node ?? annotations?.[nodeAnnotation] };
  }
  const expected = recordName(read.record.id);
  if (expected === name) return stored(read.record, configMap);
  const problem = `expected its record under the name ${expected}, found it under ${name}`;
  return { name, kind: 'damaged', problem, node: read.record.node.name };
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
    const read = decodeRecord(configMap);
    if ('record' in read) records.push(read);
    else unreadable.push(read);
  }
  return { records, unreadable };
}

/** What {@link readTakeovers} found. */
export interface TakeoversOnRecord {
  /** The one that was opened last comes first. */
  readonly records: readonly TakeoverRecord[];
  /** What lies beside them and is set aside by every leader. */
  readonly unreadable: readonly UnreadableRecord[];
}

/** Every takeover on record, and what can't be read as one. */
export async function readTakeovers(
  reader: KubernetesReader,
  namespace: string,
  options: ReadOptions = {},
): Promise<TakeoversOnRecord> {
  const { items } = await reader.list(configMaps, { namespace, labelSelector: recordSelector, ...options });
  const { records, unreadable } = listingOf(items);
  return { records: records.map(({ record }) => record).toSorted((a, b) => byOrder(b, a)), unreadable };
}

/** Every record that can be read, the one that was opened last first. What can't is in {@link readTakeovers}. */
export async function readTakeoverRecords(
  reader: KubernetesReader,
  namespace: string,
  options: ReadOptions = {},
): Promise<readonly TakeoverRecord[]> {
  return (await readTakeovers(reader, namespace, options)).records;
}

/**
 * One more than the highest epoch on record: where a new election Lease has to go on after the old one was deleted. Counts
 * what is named in records that can't be read, too.
 */
export async function epochAfterRecords(reader: KubernetesReader, namespace: string): Promise<number> {
  const { items } = await reader.list(configMaps, { namespace, labelSelector: recordSelector });
  return items.reduce((least, { data }) => Math.max(least, (highestEpochIn(data?.[dataKey]) ?? -1) + 1), 0);
}
