// Objects on their way into the store: still open to changes, and not yet trusted.
import { decodeFields } from './decoding.ts';
import { apiVersionOf, type ServedResource } from './resources.ts';
import type { StoredObject } from './store.ts';
import { copyOf, isObject, type JsonObject, sameMeaning } from './wire-value.ts';

/** An object on its way in, still open to changes. */
export interface Draft {
  apiVersion: string;
  kind: string;
  metadata: DraftMetadata;
  spec?: JsonObject;
  status?: JsonObject;
  [field: string]: unknown;
}

/** The metadata of a {@link Draft}. */
interface DraftMetadata {
  name: string;
  generateName?: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: JsonObject[];
  managedFields?: unknown;
  selfLink?: unknown;
}

/** A stored object as a draft of its next version. */
export function draftFrom(object: StoredObject): Draft {
  return copyOf(object) as unknown as Draft;
}

/** What a client sent, or part of the program wrote, as a draft. @throws StatusError 400 for fields of a wrong type. */
export function draftOf(type: ServedResource, object: object): Draft {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = copyOf(object) as unknown as Draft;
  // In the order in which the real server writes them.
  const draft: Draft = {
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    metadata: { ...metadata },
    ...rest,
  };
  delete draft.metadata.managedFields;
  delete draft.metadata.selfLink;
  decodeFields(type, draft);
  return draft;
}

/** Puts back what a writer has no say in. */
export function keepWhatOnlyTheServerSets({ metadata }: Draft, current: StoredObject): void {
  const before = current.metadata as unknown as Draft['metadata'];
  metadata.uid ||= before.uid;
  // Sent along unchanged is fine, left out too; another value is an error that validation finds.
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (before[field] !== undefined) Object.assign(metadata, { [field]: metadata[field] ?? before[field] });
  }
  for (const field of ['creationTimestamp', 'generation'] as const) {
    if (before[field] === undefined) delete metadata[field];
    else Object.assign(metadata, { [field]: before[field] });
  }
}

/** Puts back the half of an object that a write of the other half has no say in. */
export function keepPart(part: 'spec' | 'status', draft: Draft, current: StoredObject): void {
  const before = (current as unknown as Draft)[part];
  if (before === undefined) delete draft[part];
  else draft[part] = copyOf(before);
}

/** What is empty isn't shown, and counts as not there. */
export function dropEmpty({ metadata }: Draft): void {
  for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const) {
    if (sameMeaning(metadata[field], undefined)) delete metadata[field];
  }
}

/** The spec of a draft, made when there is none. */
export function specOf(draft: Draft): JsonObject {
  if (!isObject(draft.spec)) draft.spec = {};
  return draft.spec;
}
