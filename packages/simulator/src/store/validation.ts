// What makes the server answer 422: the rules that a client can run into, each with the real server's words.
import type { Draft } from './defaults.ts';
import { labelValueProblems, nameErrors, qualifiedNameProblems } from './object-names.ts';
import type { ServedResource } from './resources.ts';
import { type FieldError, forbiddenValue, invalidValue, required, unsupportedValue } from './status-error.ts';
import type { StoredObject } from './store.ts';
import { isObject, type JsonObject } from './wire-value.ts';

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** All that is wrong with a new object. */
export function createErrors(type: ServedResource, draft: Draft): FieldError[] {
  return [
    ...nameErrors(type.plural, draft.metadata.name),
    ...metadataErrors(draft),
    ...kindErrors(type, draft),
  ];
}

/** All that is wrong with a replacement, including what may not change. */
export function updateErrors(type: ServedResource, draft: Draft, current: StoredObject): FieldError[] {
  return [
    ...metadataChangeErrors(draft, current),
    ...metadataErrors(draft),
    ...kindErrors(type, draft),
    ...changeErrors(type, draft, current),
  ];
}

function metadataErrors({ metadata }: Draft): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    for (const why of qualifiedNameProblems(key)) errors.push(invalidValue('metadata.labels', key, why));
    for (const why of labelValueProblems(String(value)))
      errors.push(invalidValue('metadata.labels', value, why));
  }
  for (const key of Object.keys(metadata.annotations ?? {})) {
    for (const why of qualifiedNameProblems(key.toLowerCase())) {
      errors.push(invalidValue('metadata.annotations', key, why));
    }
  }
  for (const [index, owner] of (metadata.ownerReferences ?? []).entries()) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid']) {
      if (typeof owner[field] !== 'string' || owner[field] === '') {
        const why = field === 'apiVersion' ? 'version must not be empty' : 'must not be empty';
        errors.push(invalidValue(`metadata.ownerReferences[${index}].${field}`, owner[field] ?? '', why));
      }
    }
  }
  for (const finalizer of metadata.finalizers ?? []) {
    for (const why of qualifiedNameProblems(finalizer)) {
      errors.push(invalidValue('metadata.finalizers', finalizer, why));
    }
  }
  return errors;
}

function metadataChangeErrors({ metadata }: Draft, current: StoredObject): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['uid', 'creationTimestamp'] as const) {
    if (metadata[field] !== undefined && metadata[field] !== current.metadata[field]) {
      errors.push(invalidValue(`metadata.${field}`, metadata[field], 'field is immutable'));
    }
  }
  if (current.metadata.deletionTimestamp !== undefined) {
    const before = new Set(current.metadata.finalizers ?? []);
    const added = (metadata.finalizers ?? []).filter((one) => !before.has(one));
    if (added.length > 0) {
      const found = added.map((one) => JSON.stringify(one)).join(', ');
      const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${found}}`;
      errors.push(forbiddenValue('metadata.finalizers', why));
    }
  }
  return errors;
}

function kindErrors(type: ServedResource, draft: Draft): FieldError[] {
  return rules.get(type.plural)?.(draft) ?? [];
}

function changeErrors(type: ServedResource, draft: Draft, current: StoredObject): FieldError[] {
  return changeRules.get(type.plural)?.(draft, current) ?? [];
}

const rules: ReadonlyMap<string, (draft: Draft) => FieldError[]> = new Map([
  ['nodes', nodeErrors],
  ['pods', podErrors],
  ['leases', leaseErrors],
]);

const changeRules: ReadonlyMap<string, (draft: Draft, current: StoredObject) => FieldError[]> = new Map([]);

function nodeErrors(draft: Draft): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, taint] of objects(draft.spec?.['taints']).entries()) {
    const field = `metadata.taints[${index}]`;
    const key = String(taint['key'] ?? '');
    const effect = String(taint['effect'] ?? '');
    for (const why of qualifiedNameProblems(key)) errors.push(invalidValue(`${field}.key`, key, why));
    for (const why of labelValueProblems(String(taint['value'] ?? ''))) {
      errors.push(invalidValue(`${field}.value`, taint['value'], why));
    }
    if (effect === '') errors.push(required(`${field}.effect`, ''));
    else if (!taintEffects.includes(effect))
      errors.push(unsupportedValue(`${field}.effect`, effect, taintEffects));
    const identity = `${key}:${effect}`;
    if (seen.has(identity)) {
      errors.push({
        reason: 'FieldValueDuplicate',
        field,
        message: `Duplicate value: ${JSON.stringify(taint)}: taints must be unique by key and effect pair`,
      });
    }
    seen.add(identity);
  }
  return errors;
}

function podErrors(draft: Draft): FieldError[] {
  const containers = objects(draft.spec?.['containers']);
  if (containers.length === 0) return [required('spec.containers', '')];
  return containers.flatMap((container, index) => {
    const errors: FieldError[] = [];
    if (!container['name']) errors.push(required(`spec.containers[${index}].name`, ''));
    if (!container['image']) errors.push(required(`spec.containers[${index}].image`, ''));
    return errors;
  });
}

function leaseErrors(draft: Draft): FieldError[] {
  const errors: FieldError[] = [];
  const duration = draft.spec?.['leaseDurationSeconds'];
  if (typeof duration === 'number' && duration <= 0) {
    errors.push(invalidValue('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
  }
  const transitions = draft.spec?.['leaseTransitions'];
  if (typeof transitions === 'number' && transitions < 0) {
    errors.push(invalidValue('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'));
  }
  return errors;
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
