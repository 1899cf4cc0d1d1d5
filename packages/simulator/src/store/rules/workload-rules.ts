// Workloads: a selector that fits its own template, and, for a StatefulSet, little that may change later.
import type { Draft } from '../draft.ts';
import { matchesSelector } from '../label-selector.ts';
import { type FieldError, forbiddenValue, invalidValue, required } from '../status-error.ts';
import type { StoredObject } from '../store.ts';
import { fieldsOf, sameMeaning } from '../wire-value.ts';

const changeable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

export function workloadErrors(draft: Draft): FieldError[] {
  const spec = fieldsOf(draft.spec);
  const { selector, replicas } = spec;
  const errors: FieldError[] = [];
  if (typeof replicas === 'number' && replicas < 0) {
    errors.push(invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'));
  }
  const template = fieldsOf(spec['template']);
  const labels = fieldsOf(fieldsOf(template['metadata'])['labels']);
  if (selector === undefined || selector === null) return [...errors, required('spec.selector', '')];
  if (sameMeaning(selector, {})) {
    const why = `empty selector is invalid for ${draft.kind.toLowerCase()}`;
    return [...errors, invalidValue('spec.selector', selector, why)];
  }
  if (!matchesSelector(selector, labels as Readonly<Record<string, string>>)) {
    const why = '`selector` does not match template `labels`';
    errors.push(invalidValue('spec.template.metadata.labels', labels, why));
  }
  return errors;
}

export function statefulSetChangeErrors(draft: Draft, current: StoredObject): FieldError[] {
  const fixed = (spec: unknown): object =>
    Object.fromEntries(Object.entries(fieldsOf(spec)).filter(([field]) => !changeable.includes(field)));
  if (sameMeaning(fixed(draft.spec), fixed(current.spec))) return [];
  const listed = changeable.map((field) => `'${field}'`);
  const all = `${listed.slice(0, -1).join(', ')} and ${listed.at(-1)}`;
  return [forbiddenValue('spec', `updates to statefulset spec for fields other than ${all} are forbidden`)];
}

/** For the kinds whose selector is part of their identity. */
export function selectorChangeErrors(draft: Draft, current: StoredObject): FieldError[] {
  const after = fieldsOf(draft.spec)['selector'];
  if (sameMeaning(after, fieldsOf(current.spec)['selector'])) return [];
  return [invalidValue('spec.selector', after, 'field is immutable')];
}
