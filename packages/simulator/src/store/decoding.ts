// The types of the fields that clients get wrong: the real server decodes into Go structs and answers 400 where that fails.
import { parseTime } from './go-time.ts';
import type { ServedResource } from './resources.ts';
import { badRequest } from './status-error.ts';
import { isObject } from './wire-value.ts';

type FieldType =
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'Time'
  | 'MicroTime'
  | 'map of string'
  | 'list of string';

interface FieldRule {
  /** From the object's root; `*` stands for each item of a list. */
  readonly path: readonly string[];
  readonly type: FieldType;
  /** The Go struct that holds the field: it is part of the message. */
  readonly struct: string;
}

const rule = (struct: string, path: string, type: FieldType): FieldRule => ({
  struct,
  path: path.split('.'),
  type,
});

const everyKind: readonly FieldRule[] = [
  rule('ObjectMeta', 'metadata.name', 'string'),
  rule('ObjectMeta', 'metadata.namespace', 'string'),
  rule('ObjectMeta', 'metadata.uid', 'string'),
  rule('ObjectMeta', 'metadata.resourceVersion', 'string'),
  rule('ObjectMeta', 'metadata.creationTimestamp', 'Time'),
  rule('ObjectMeta', 'metadata.labels', 'map of string'),
  rule('ObjectMeta', 'metadata.annotations', 'map of string'),
  rule('ObjectMeta', 'metadata.finalizers', 'list of string'),
];

const conditionTimes = (struct: string): FieldRule[] => [
  rule(struct, 'status.conditions.*.lastTransitionTime', 'Time'),
  rule(struct, 'status.conditions.*.status', 'string'),
];

const byKind: ReadonlyMap<string, readonly FieldRule[]> = new Map([
  [
    'leases',
    [
      rule('LeaseSpec', 'spec.holderIdentity', 'string'),
      rule('LeaseSpec', 'spec.leaseDurationSeconds', 'int32'),
      rule('LeaseSpec', 'spec.leaseTransitions', 'int32'),
      rule('LeaseSpec', 'spec.acquireTime', 'MicroTime'),
      rule('LeaseSpec', 'spec.renewTime', 'MicroTime'),
    ],
  ],
  [
    'nodes',
    [
      rule('NodeSpec', 'spec.unschedulable', 'bool'),
      rule('Taint', 'spec.taints.*.timeAdded', 'Time'),
      rule('NodeCondition', 'status.conditions.*.lastHeartbeatTime', 'Time'),
      ...conditionTimes('NodeCondition'),
    ],
  ],
  [
    'pods',
    [
      rule('PodSpec', 'spec.nodeName', 'string'),
      rule('PodSpec', 'spec.terminationGracePeriodSeconds', 'int64'),
      rule('PodStatus', 'status.startTime', 'Time'),
      ...conditionTimes('PodCondition'),
    ],
  ],
  ['configmaps', [rule('ConfigMap', 'data', 'map of string')]],
  ['statefulsets', [rule('StatefulSetSpec', 'spec.replicas', 'int32')]],
  ['deployments', [rule('DeploymentSpec', 'spec.replicas', 'int32')]],
  ['replicasets', [rule('ReplicaSetSpec', 'spec.replicas', 'int32')]],
  [
    'events',
    [
      rule('Event', 'firstTimestamp', 'Time'),
      rule('Event', 'lastTimestamp', 'Time'),
      rule('Event', 'eventTime', 'MicroTime'),
      rule('Event', 'count', 'int32'),
    ],
  ],
]);

/**
 * Checks the fields of known types and writes times the way the server does: in UTC, whole seconds or six digits.
 *
 * @throws StatusError 400 for the first field that can't be decoded.
 */
export function decodeFields(type: ServedResource, draft: object): void {
  const why = decodeProblem(type, draft);
  if (why === undefined) return;
  throw badRequest(
    `${type.kind} in version ${JSON.stringify(type.version)} cannot be handled as a ${type.kind}: ${why}`,
  );
}

/** As {@link decodeFields}, but says what is wrong instead of throwing: patches answer it with another code. */
export function decodeProblem(type: ServedResource, draft: object): string | undefined {
  for (const one of [...everyKind, ...(byKind.get(type.plural) ?? [])]) {
    const why = visit(draft, one, 0);
    if (why !== undefined) return why;
  }
  return undefined;
}

function visit(parent: unknown, field: FieldRule, depth: number): string | undefined {
  const name = field.path[depth] ?? '';
  if (name === '*') {
    if (!Array.isArray(parent)) return mismatch(parent, field);
    for (const item of parent) {
      const why = visit(item, field, depth + 1);
      if (why !== undefined) return why;
    }
    return undefined;
  }
  if (!isObject(parent)) return mismatch(parent, field);
  const value = parent[name];
  if (value === undefined || value === null) return undefined;
  if (depth < field.path.length - 1) return visit(value, field, depth + 1);
  const decoded = decode(value, field);
  if ('why' in decoded) return decoded.why;
  parent[name] = decoded.value;
  return undefined;
}

type Decoded = { readonly value: unknown } | { readonly why: string };

function decode(value: unknown, field: FieldRule): Decoded {
  switch (field.type) {
    case 'string':
      return typeof value === 'string' ? { value } : { why: mismatch(value, field, 'string') };
    case 'bool':
      return typeof value === 'boolean' ? { value } : { why: mismatch(value, field) };
    case 'int32':
      return isInteger(value, 2 ** 31) ? { value } : { why: mismatch(value, field) };
    case 'int64':
      return isInteger(value, 2 ** 63) ? { value } : { why: mismatch(value, field) };
    case 'Time':
    case 'MicroTime':
      return typeof value === 'string'
        ? parseTime(value, field.type)
        : { why: mismatch(value, field, 'string') };
    case 'map of string': {
      if (!isObject(value)) return { why: mismatch(value, field, 'map[string]string') };
      const wrong = Object.values(value).find((one) => typeof one !== 'string' && one !== null);
      return wrong === undefined ? { value } : { why: mismatch(wrong, field, 'string') };
    }
    case 'list of string': {
      if (!Array.isArray(value)) return { why: mismatch(value, field, '[]string') };
      const wrong = value.find((one) => typeof one !== 'string');
      return wrong === undefined ? { value } : { why: mismatch(wrong, field, 'string') };
    }
  }
}

function isInteger(value: unknown, bound: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= -bound && value < bound;
}

function mismatch(value: unknown, { struct, path, type }: FieldRule, goType: string = type): string {
  const field = path.filter((part) => part !== '*').join('.');
  return `json: cannot unmarshal ${jsonTypeOf(value, goType)} into Go struct field ${struct}.${field} of type ${goType}`;
}

function jsonTypeOf(value: unknown, goType: string): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  // A number of the wrong size or with a fraction is quoted.
  return typeof value === 'number' && goType.startsWith('int') ? `number ${value}` : typeof value;
}
