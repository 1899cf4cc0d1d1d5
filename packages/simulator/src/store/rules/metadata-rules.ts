// What every object's metadata must keep to, when it is made and when it is replaced.
import type { Draft } from '../draft.ts';
import { labelValueProblems, qualifiedNameProblems } from '../object-names.ts';
import { type FieldError, forbiddenValue, invalidValue } from '../status-error.ts';
import type { StoredObject } from '../store.ts';

const standardFinalizers = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

/** All that is wrong with labels, annotations, owners and finalizers. */
export function metadataErrors({ metadata }: Draft): FieldError[] {
  const { labels = {}, annotations = {} } = metadata;
  return [
    ...Object.entries(labels).flatMap(([key, value]) => [
      ...qualifiedNameProblems(key).map((why) => invalidValue('metadata.labels', key, why)),
      ...labelValueProblems(value).map((why) => invalidValue('metadata.labels', value, why)),
    ]),
    ...Object.keys(annotations).flatMap((key) =>
      qualifiedNameProblems(key.toLowerCase()).map((why) => invalidValue('metadata.annotations', key, why)),
    ),
    ...ownerErrors(metadata.ownerReferences ?? []),
    ...finalizerErrors(metadata.finalizers ?? []),
  ];
}

function ownerErrors(owners: NonNullable<Draft['metadata']['ownerReferences']>): FieldError[] {
  return owners.flatMap((owner) =>
    ['apiVersion', 'kind', 'name', 'uid'].flatMap((field) => {
      if (typeof owner[field] === 'string' && owner[field] !== '') return [];
      const why = field === 'apiVersion' ? 'version must not be empty' : 'must not be empty';
      return [invalidValue(`metadata.ownerReferences.${field}`, owner[field] ?? '', why)];
    }),
  );
}

function finalizerErrors(finalizers: readonly string[]): FieldError[] {
  return finalizers.flatMap((finalizer, index) => {
    const errors = qualifiedNameProblems(finalizer).map((why) =>
      invalidValue('metadata.finalizers', finalizer, why),
    );
    if (finalizer.includes('/') || standardFinalizers.has(finalizer)) return errors;
    const why = 'name is neither a standard finalizer name nor is it fully qualified';
    return [...errors, invalidValue(`metadata.finalizers[${index}]`, finalizer, why)];
  });
}

/** All that a replacement's metadata may not change. */
export function metadataChangeErrors({ metadata }: Draft, current: StoredObject): FieldError[] {
  const before = current.metadata as unknown as Draft['metadata'];
  const fixed = ['uid', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;
  const errors = fixed
    .filter((field) => metadata[field] !== undefined && metadata[field] !== before[field])
    .map((field) => invalidValue(`metadata.${field}`, metadata[field], 'field is immutable'));
  if (before.deletionTimestamp === undefined) return errors;
  const added = (metadata.finalizers ?? []).filter((one) => !before.finalizers?.includes(one));
  if (added.length === 0) return errors;
  const found = added.map((one) => JSON.stringify(one)).join(', ');
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${found}}`;
  return [...errors, forbiddenValue('metadata.finalizers', why)];
}
