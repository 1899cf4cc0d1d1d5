// Pods: they need something to run, and once made they hardly change.
import type { Draft } from '../draft.ts';
import { type FieldError, forbiddenValue, required, unsupportedValue } from '../status-error.ts';
import type { StoredObject } from '../store.ts';
import { fieldsOf, isObject, type JsonObject, objectsIn, sameMeaning } from '../wire-value.ts';

const restartPolicies = ['Always', 'OnFailure', 'Never'];

const changeable =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

export function podErrors({ spec = {} }: Draft): FieldError[] {
  const containers = objectsIn(spec['containers']);
  const errors = containers.length === 0 ? [required('spec.containers', '')] : [];
  for (const [index, container] of containers.entries()) {
    for (const field of ['name', 'image']) {
      if (!container[field]) errors.push(required(`spec.containers[${index}].${field}`, ''));
    }
  }
  const restartPolicy = String(spec['restartPolicy']);
  if (!restartPolicies.includes(restartPolicy)) {
    errors.push(unsupportedValue('spec.restartPolicy', restartPolicy, restartPolicies));
  }
  return errors;
}

export function podChangeErrors(draft: Draft, current: StoredObject): FieldError[] {
  const before = fieldsOf(current.spec);
  const after = fieldsOf(draft.spec);
  const errors: FieldError[] = [];
  for (const list of ['containers', 'initContainers']) {
    if (objectsIn(before[list]).length !== objectsIn(after[list]).length) {
      return [forbiddenValue(`spec.${list}`, 'pod updates may not add or remove containers')];
    }
  }
  if (
    !objectsIn(before['tolerations']).every((old) =>
      objectsIn(after['tolerations']).some((one) => isSameToleration(old, one)),
    )
  ) {
    errors.push(
      forbiddenValue(
        'spec.tolerations',
        'existing toleration can not be modified except its tolerationSeconds',
      ),
    );
  }
  if (!sameMeaning(withoutChangeable(before, before), withoutChangeable(after, before))) {
    errors.push(forbiddenValue('spec', changeable));
  }
  return errors;
}

function isSameToleration(old: JsonObject, one: JsonObject): boolean {
  return sameMeaning({ ...old, tolerationSeconds: null }, { ...one, tolerationSeconds: null });
}

/** What of a pod's spec must stay as it was. */
function withoutChangeable(spec: JsonObject, before: JsonObject): JsonObject {
  const {
    activeDeadlineSeconds: _deadline,
    tolerations: _tolerations,
    schedulingGates: _gates,
    ...fixed
  } = spec;
  const graceMended =
    Number(before['terminationGracePeriodSeconds']) < 0 && spec['terminationGracePeriodSeconds'] === 1;
  return {
    ...fixed,
    containers: withoutImages(spec['containers']),
    initContainers: withoutImages(spec['initContainers']),
    ...(graceMended ? { terminationGracePeriodSeconds: before['terminationGracePeriodSeconds'] } : {}),
  };
}

function withoutImages(containers: unknown): unknown[] {
  return Array.isArray(containers)
    ? containers.map((one) => (isObject(one) ? { ...one, image: undefined } : one))
    : [];
}
