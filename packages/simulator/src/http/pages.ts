// Lists: selectors, pages that all show the same moment, and how old an answer may be.
import { keyOfObject } from '../store/collection.ts';
import { type FieldMatcher, parseFieldSelector } from '../store/field-selector.ts';
import { type LabelMatcher, parseLabelSelector } from '../store/label-selector.ts';
import { apiVersionOf } from '../store/resources.ts';
import { badRequest, invalid, StatusError } from '../store/status-error.ts';
import type { ServerStore, Snapshot, StoredObject } from '../store/store.ts';
import type { ResourceRoute } from './route.ts';

/** Which objects a list or a watch is about. */
export type Selection = (object: StoredObject) => boolean;

/** What the query and the path of a request select. @throws StatusError 400 for a selector that can't be read. */
export function selectionOf({ type, namespace, name, query }: ResourceRoute): Selection {
  const fields: FieldMatcher = parseFieldSelector(type, query.get('fieldSelector') ?? '');
  const labels: LabelMatcher = parseLabelSelector(query.get('labelSelector') ?? '');
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (name === undefined || object.metadata.name === name) &&
    fields(object) &&
    labels(object.metadata.labels);
}

/** Where a page ended. */
export interface ContinueToken {
  /** The moment that all pages show; -1 when it could not be kept and the rest shows the present. */
  readonly resourceVersion: number;
  /** The key of the last object that was given out. */
  readonly after: string;
}

const tokenVersion = 'meta.k8s.io/v1';

/** Opaque to clients. */
export function encodeContinue({ resourceVersion, after }: ContinueToken): string {
  const token = { v: tokenVersion, rv: resourceVersion, start: `${after}\0` };
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/** @throws StatusError 400 for a token that this server didn't make. */
export function decodeContinue(text: string): ContinueToken {
  let token: { v?: unknown; rv?: unknown; start?: unknown } | null;
  try {
    token = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw badRequest('continue key is not valid: not a token of this server');
  }
  const { v, rv, start } = token ?? {};
  if (v !== tokenVersion || typeof rv !== 'number' || typeof start !== 'string' || !start.endsWith('\0')) {
    throw badRequest('continue key is not valid: server does not recognize this encoded version');
  }
  return { resourceVersion: rv, after: start.slice(0, -1) };
}

const expiredPage =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
  'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
  'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
  'deleted between the time the first chunk was returned and now may show up in the list.';

interface PageRequest {
  readonly limit: number;
  readonly token: ContinueToken | undefined;
  readonly snapshot: Snapshot;
}

/** The answer to a list. */
export function listPage(store: ServerStore, route: ResourceRoute, staleAt?: number): object {
  const { type, query, namespace } = route;
  const selected = selectionOf(route);
  const { limit, token, snapshot } = pageRequest(store, route, staleAt);
  const inScope = snapshot.objects.filter(
    (object) =>
      (namespace === undefined || object.metadata.namespace === namespace) &&
      (token === undefined || keyOfObject(object) > token.after),
  );
  const items: StoredObject[] = [];
  let seen = 0;
  while (seen < inScope.length && (limit === 0 || items.length < limit)) {
    const object = inScope[seen];
    if (object !== undefined && selected(object)) items.push(object);
    seen += 1;
  }
  const remaining = inScope.length - seen;
  const last = inScope[seen - 1];
  const unselective = !query.get('fieldSelector') && !query.get('labelSelector');
  return {
    kind: `${type.kind}List`,
    apiVersion: apiVersionOf(type),
    metadata: {
      resourceVersion: String(snapshot.resourceVersion),
      ...(remaining > 0 && last !== undefined
        ? {
            continue: encodeContinue({
              resourceVersion: token?.resourceVersion === -1 ? -1 : snapshot.resourceVersion,
              after: keyOfObject(last),
            }),
            ...(unselective ? { remainingItemCount: remaining } : {}),
          }
        : {}),
    },
    items: items.map(asItem),
  };
}

/** The list names the kind once for all its items. */
function asItem({ apiVersion: _version, kind: _kind, ...item }: StoredObject): object {
  return item;
}

function pageRequest(
  store: ServerStore,
  { type, query }: ResourceRoute,
  staleAt: number | undefined,
): PageRequest {
  const limit = numberOf(query, 'limit') ?? 0;
  const text = query.get('continue');
  const asked = askedVersion(query);
  if (text) {
    if (asked !== undefined && asked !== 0) {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const token = decodeContinue(text);
    return { limit, token, snapshot: continuedSnapshot(store, type, token) };
  }
  if (staleAt !== undefined) return { limit, token: undefined, snapshot: store.snapshot(type, staleAt) };
  if (query.get('resourceVersionMatch') === 'Exact' && asked !== undefined) {
    return { limit, token: undefined, snapshot: store.snapshot(type, asked) };
  }
  if (asked !== undefined && asked > store.resourceVersion()) throw tooNew(asked, store.resourceVersion());
  return { limit, token: undefined, snapshot: store.snapshot(type) };
}

function continuedSnapshot(store: ServerStore, type: ResourceRoute['type'], token: ContinueToken): Snapshot {
  if (token.resourceVersion === -1) return store.snapshot(type);
  try {
    return store.snapshot(type, token.resourceVersion);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const rest = encodeContinue({ ...token, resourceVersion: -1 });
    throw new StatusError(410, 'Expired', expiredPage, undefined, { continue: rest });
  }
}

/** The `resourceVersion` of a query: undefined when it asks for the newest. @throws StatusError 400, 422 */
export function askedVersion(query: URLSearchParams): number | undefined {
  const text = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const listOptions = { group: 'meta.k8s.io', plural: 'listoptions', kind: 'ListOptions' };
  if (match !== '' && text === '') {
    throw invalid(listOptions, '', [
      {
        reason: 'FieldValueForbidden',
        field: 'resourceVersionMatch',
        message: 'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      },
    ]);
  }
  if (text === '') return undefined;
  if (!/^\d+$/.test(text)) {
    throw badRequest(
      `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return Number(text);
}

/** A resourceVersion that is still to come: the real server waits a moment for it, then says when to come back. */
export function tooNew(asked: number, current: number): StatusError {
  return new StatusError(504, 'Timeout', `Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

/** A query parameter that is a whole number. @throws StatusError 400 */
export function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d+$/.test(text)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return Number(text);
}
