// Nodes: taints must make sense, and what ties a node to a machine stays.
import type { Draft } from '../draft.ts';
import { labelValueProblems, qualifiedNameProblems } from '../object-names.ts';
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  required,
  unsupportedValue,
} from '../status-error.ts';
import type { StoredObject } from '../store.ts';
import { fieldsOf, type JsonObject, objectsIn, sameMeaning } from '../wire-value.ts';

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function nodeErrors(draft: Draft): FieldError[] {
  const seen = new Set<string>();
  return objectsIn(draft.spec?.['taints']).flatMap((taint, index) => {
    const field = `metadata.taints[${index}]`;
    const errors = taintErrors(taint, field);
    const identity = `${taint['key']}:${taint['effect']}`;
    if (seen.has(identity)) {
      const message = `Duplicate value: ${inGo(taint)}: taints must be unique by key and effect pair`;
      errors.push({ reason: 'FieldValueDuplicate', field, message });
    }
    seen.add(identity);
    return errors;
  });
}

function taintErrors(taint: JsonObject, field: string): FieldError[] {
  const [key, value, effect] = ['key', 'value', 'effect'].map((name) => String(taint[name] ?? ''));
  const errors = [
    ...qualifiedNameProblems(key ?? '').map((why) => invalidValue(`${field}.key`, key, why)),
    ...labelValueProblems(value ?? '').map((why) => invalidValue(`${field}.value`, value, why)),
  ];
  if (effect === '') return [...errors, required(`${field}.effect`, '')];
  if (effect === undefined || effects.includes(effect)) return errors;
  return [...errors, unsupportedValue(`${field}.effect`, effect, effects)];
}

/** The real server prints its own struct here, not what was sent. */
function inGo({ key, value, effect, timeAdded }: JsonObject): string {
  return JSON.stringify({ Key: key, Value: value ?? '', Effect: effect, TimeAdded: timeAdded ?? null });
}

export function nodeChangeErrors(draft: Draft, current: StoredObject): FieldError[] {
  const before = fieldsOf(current.spec);
  const after = fieldsOf(draft.spec);
  const errors: FieldError[] = [];
  if (before['podCIDR'] && !sameMeaning(before['podCIDRs'], after['podCIDRs'])) {
    errors.push(
      forbiddenValue('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'),
    );
  }
  if (before['providerID'] && before['providerID'] !== after['providerID']) {
    errors.push(
      forbiddenValue('spec.providerID', 'node updates may not change providerID except from "" to valid'),
    );
  }
  return errors;
}
