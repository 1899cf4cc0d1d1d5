// The grammar of `fieldSelector` and the few fields that the real server indexes for each kind.
import { badRequest } from './status-error.ts';
import type { ResourceType, StoredObject } from './store.ts';
import { isObject } from './wire-value.ts';

/** Whether an object fits a selector. */
export type FieldMatcher = (object: StoredObject) => boolean;

const selectableFields: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'pods',
    [
      'spec.nodeName',
      'spec.restartPolicy',
      'spec.schedulerName',
      'spec.serviceAccountName',
      'spec.hostNetwork',
      'status.phase',
      'status.podIP',
      'status.nominatedNodeName',
    ],
  ],
  ['nodes', ['spec.unschedulable']],
  ['namespaces', ['status.phase']],
  ['secrets', ['type']],
  ['replicasets', ['status.replicas']],
  ['persistentvolumes', ['name']],
  ['persistentvolumeclaims', ['name']],
  [
    'events',
    [
      'involvedObject.kind',
      'involvedObject.namespace',
      'involvedObject.name',
      'involvedObject.uid',
      'involvedObject.apiVersion',
      'involvedObject.resourceVersion',
      'involvedObject.fieldPath',
      'reason',
      'reportingComponent',
      'source',
      'type',
    ],
  ],
]);

const booleanFields = new Set(['spec.unschedulable', 'spec.hostNetwork']);

/**
 * Reads a selector such as `spec.nodeName=node-1,status.phase!=Failed`. The empty one matches everything.
 *
 * @throws StatusError 400 for a field that the real server doesn't know for this kind.
 */
export function parseFieldSelector(type: ResourceType, selector: string): FieldMatcher {
  const terms = splitTerms(selector).map((term) => parseTerm(type, term, selector));
  return (object) => terms.every(({ field, value, equal }) => (fieldOf(object, field) === value) === equal);
}

interface Term {
  readonly field: string;
  readonly value: string;
  readonly equal: boolean;
}

/** Commas split terms unless a backslash stands before them. */
function splitTerms(selector: string): string[] {
  const terms = selector.match(/(?:\\.|[^,\\])+/gs) ?? [];
  return terms.filter((term) => term !== '');
}

function parseTerm(type: ResourceType, term: string, selector: string): Term {
  const match = /^((?:\\.|[^=!\\])*)(!=|==|=)(.*)$/s.exec(term);
  const [, field, operator, escaped] = match ?? [];
  if (field === undefined || operator === undefined || escaped === undefined) {
    throw badRequest(`invalid selector: '${selector}'; can't understand '${term}'`);
  }
  const value = escaped.replace(/\\([\\,=])/g, '$1');
  const known = ['metadata.name', ...(type.namespaced ? ['metadata.namespace'] : [])];
  if (!known.includes(field) && !(selectableFields.get(type.plural) ?? []).includes(field)) {
    throw badRequest(`field label not supported: ${field}`);
  }
  return { field, value, equal: operator !== '!=' };
}

function fieldOf(object: StoredObject, field: string): string {
  if (field === 'name') return object.metadata.name;
  if (field === 'source') return sourceOf(object);
  let value: unknown = object;
  for (const part of field.split('.')) value = isObject(value) ? value[part] : undefined;
  if (value === undefined || value === null) return booleanFields.has(field) ? 'false' : '';
  return String(value);
}

/** An event's `source` selects by the component, and falls back to the newer field. */
function sourceOf(object: StoredObject): string {
  const event = object as StoredObject & { source?: { component?: string }; reportingComponent?: string };
  return event.source?.component || event.reportingComponent || '';
}
