// Lists: selectors, pages that all show the same moment, and how old an answer may be.
import { keyOfObject } from '../store/collection.ts';
import { selectedName } from '../store/field-selector.ts';
import { apiVersionOf } from '../store/resources.ts';
import { type Selection, selectionOf } from '../store/selection.ts';
import { badRequest, StatusError } from '../store/status-error.ts';
import type { ServerStore, Snapshot, StoredObject } from '../store/store.ts';
import { type ContinueToken, decodeContinue, encodeContinue, expiredToken } from './continue-token.ts';
import { type ListRequest, readListRequest } from './list-options.ts';
import type { ResourceRoute } from './route.ts';

/** What the query and the path of a request select. @throws StatusError 400 for a selector that can't be read. */
export function selectedBy({ type, namespace = '', name, query }: ResourceRoute): Selection {
  const selected = selectionOf(type, {
    namespace,
    fieldSelector: query.get('fieldSelector') ?? '',
    labelSelector: query.get('labelSelector') ?? '',
  });
  return name === undefined ? selected : (object) => object.metadata.name === name && selected(object);
}

/** The moment that a list shows, and where in it the page begins. */
interface Start {
  readonly snapshot: Snapshot;
  readonly token: ContinueToken | undefined;
}

/**
 * The answer to a list.
 *
 * @param staleAt - Shows this moment, whatever the request asks for.
 * @throws StatusError 400, 410, 422
 */
export function listPage(store: ServerStore, route: ResourceRoute, staleAt?: number): object {
  const { type, query, namespace } = route;
  const selected = selectedBy(route);
  const request = readListRequest(query);
  const { snapshot, token } = startOf(store, route, request, staleAt);
  const inScope = snapshot.objects.filter(
    (object) =>
      (namespace === undefined || object.metadata.namespace === namespace) &&
      (token === undefined || keyOfObject(object) > token.after),
  );
  // Version 0 asks for whatever the cache has at hand, and that comes as a whole. One name is one object at most.
  const isWhole = request.version === 0 || (token === undefined && asksForOne(route));
  const { items, rest } = takePage(inScope, selected, isWhole ? 0 : request.limit);
  const last = inScope[inScope.length - rest - 1];
  const unselective = !query.get('fieldSelector') && !query.get('labelSelector');
  const resourceVersion = token?.resourceVersion === -1 ? -1 : snapshot.resourceVersion;
  return {
    kind: `${type.kind}List`,
    apiVersion: apiVersionOf(type),
    metadata: {
      resourceVersion: String(snapshot.resourceVersion),
      ...(rest > 0 && last !== undefined
        ? { continue: encodeContinue({ resourceVersion, after: keyOfObject(last) }) }
        : {}),
      // With a selector, how many of the rest fit is not known.
      ...(rest > 0 && unselective ? { remainingItemCount: rest } : {}),
    },
    items: items.map(asItem),
  };
}

function asksForOne({ type, namespace, query }: ResourceRoute): boolean {
  if (type.namespaced && namespace === undefined) return false;
  return selectedName(type, query.get('fieldSelector') ?? '') !== undefined;
}

/** The list names the kind once for all its items. */
export function asItem({ apiVersion: _version, kind: _kind, ...item }: StoredObject): object {
  return item;
}

function takePage(
  objects: readonly StoredObject[],
  selected: Selection,
  limit: number,
): { items: StoredObject[]; rest: number } {
  const items: StoredObject[] = [];
  let seen = 0;
  for (const object of objects) {
    if (limit > 0 && items.length === limit) break;
    if (selected(object)) items.push(object);
    seen += 1;
  }
  return { items, rest: objects.length - seen };
}

function startOf(
  store: ServerStore,
  { type }: ResourceRoute,
  { continueToken, version, match }: ListRequest,
  staleAt: number | undefined,
): Start {
  if (continueToken !== undefined) {
    const token = decodeContinue(continueToken);
    if (version !== undefined && version !== 0) {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    return { token, snapshot: momentOf(store, type, token) };
  }
  if (staleAt !== undefined) return { token: undefined, snapshot: store.snapshot(type, staleAt) };
  if (match !== 'Exact' || version === undefined) return { token: undefined, snapshot: store.snapshot(type) };
  try {
    return { token: undefined, snapshot: store.snapshot(type, version) };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw new StatusError(410, 'Expired', 'The resourceVersion for the provided list is too old.');
  }
}

function momentOf(store: ServerStore, type: ResourceRoute['type'], token: ContinueToken): Snapshot {
  if (token.resourceVersion === -1) return store.snapshot(type);
  try {
    return store.snapshot(type, token.resourceVersion);
  } catch (error) {
    throw error instanceof StatusError ? expiredToken(token) : error;
  }
}
