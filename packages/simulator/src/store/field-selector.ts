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
  ['services', ['spec.clusterIP', 'spec.type']],
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

/** The only name that a selector lets through; undefined when it doesn't ask for one. */
export function selectedName(type: ResourceType, selector: string): string | undefined {
  const terms = splitTerms(selector).map((term) => parseTerm(type, term, selector));
  return terms.find(({ field, equal }) => field === 'metadata.name' && equal)?.value;
}

interface Term {
  readonly field: string;
  readonly value: string;
  readonly equal: boolean;
}

/** Commas split terms unless a backslash stands before them. */
function splitTerms(selector: string): string[] {
  const terms = selector.match(/(?:\\.|[^,\\])+\\?/gs) ?? [];
  return [...terms].sort();
}

function parseTerm(type: ResourceType, term: string, selector: string): Term {
  const [, field, operator, escaped] = /^(.*?)(!=|==|=)(.*)$/s.exec(term) ?? [];
  if (field === undefined || operator === undefined || escaped === undefined) {
    throw badRequest(`invalid selector: '${selector}'; can't understand '${term}'`);
  }
  const value = unescaped(escaped);
  if (!isSelectable(type, field)) throw notSelectable(type, field);
  return { field, value, equal: operator !== '!=' };
}

function unescaped(text: string): string {
  const leftOver = text.replaceAll(/\\[\\,=]/g, '');
  const sequence = /\\.?/su.exec(leftOver)?.[0];
  if (sequence !== undefined) {
    throw badRequest(`invalid field selector: invalid escape sequence: ${sequence}`);
  }
  const bare = /[,=]/.exec(leftOver)?.[0];
  if (bare !== undefined) {
    throw badRequest(`invalid field selector: unescaped character in value: ${bare.charCodeAt(0)}`);
  }
  return text.replaceAll(/\\([\\,=])/g, '$1');
}

function isSelectable(type: ResourceType, field: string): boolean {
  if (field === 'metadata.name') return true;
  // Kinds without namespaces and without fields of their own take it, too.
  if (field === 'metadata.namespace') return type.namespaced || !selectableFields.has(type.plural);
  return selectableFields.get(type.plural)?.includes(field) === true;
}

/** Kinds with fields of their own say it in one way, the others in another. */
function notSelectable(type: ResourceType, field: string): Error {
  if (selectableFields.has(type.plural)) return badRequest(`field label not supported: ${field}`);
  return badRequest(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
}

function fieldOf(object: StoredObject, field: string): string {
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
