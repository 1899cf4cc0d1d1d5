// What a URL means: which kind, which object, which subresource, and what is to be done with it.
import { findResource, type ServedResource, servedResources } from '../store/resources.ts';
import { badRequest } from '../store/status-error.ts';
import { isTrue } from './list-options.ts';
import type { ApiRequest } from './request.ts';

/** What may be asked of objects, in the words of Kubernetes' authorization. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** A request about objects. */
export interface ResourceRoute {
  readonly kind: 'resource';
  readonly type: ServedResource;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly query: URLSearchParams;
}

/** All that a URL can mean. */
export type Route =
  | ResourceRoute
  | { readonly kind: 'discovery'; readonly parts: readonly string[] }
  | { readonly kind: 'health' }
  | { readonly kind: 'version' }
  | { readonly kind: 'accessReview' }
  /** Below a group that is served the real server answers with a Status, elsewhere with plain text. */
  | { readonly kind: 'unknown'; readonly inServedGroup: boolean };

const healthPaths = new Set(['healthz', 'livez', 'readyz']);

/** The same request is looked at by faults and by the server. */
const known = new WeakMap<Pick<ApiRequest, 'path'>, Route>();

/** @throws StatusError 400 when the path can't be decoded. */
export function routeOf(request: Pick<ApiRequest, 'path'>): Route {
  let route = known.get(request);
  if (route === undefined) {
    route = readRoute(request.path);
    known.set(request, route);
  }
  return route;
}

function readRoute(path: string): Route {
  const url = new URL(path, 'http://embedded');
  const parts = decoded(url.pathname);
  const [root, ...rest] = parts;
  if (root !== undefined && healthPaths.has(root)) return { kind: 'health' };
  if (root === 'version' && rest.length === 0) return { kind: 'version' };
  if (root === 'api') return groupRoute('', parts, rest, url);
  if (root === 'apis') return groupRoute(rest[0] ?? '', parts, rest.slice(1), url);
  return { kind: 'unknown', inServedGroup: false };
}

function decoded(pathname: string): string[] {
  try {
    return pathname
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch {
    throw badRequest(`expected a percent-encoded path, found ${JSON.stringify(pathname)}`);
  }
}

function groupRoute(group: string, parts: readonly string[], rest: readonly string[], url: URL): Route {
  const [version, ...target] = rest;
  if (target.length === 0 && (version === undefined || version === 'v1')) return { kind: 'discovery', parts };
  if (group === 'authorization.k8s.io' && version === 'v1' && target[0] === 'selfsubjectaccessreviews') {
    return { kind: 'accessReview' };
  }
  const inServedGroup = servedResources.some((one) => one.group === group);
  return resourceRoute(group, version ?? '', target, url.searchParams) ?? { kind: 'unknown', inServedGroup };
}

function resourceRoute(
  group: string,
  version: string,
  target: readonly string[],
  query: URLSearchParams,
): ResourceRoute | undefined {
  const [first, second, third] = target;
  // `namespaces/x` is a namespace, `namespaces/x/pods` are pods, `namespaces/x/status` is its subresource.
  const within =
    first === 'namespaces' && third !== undefined ? findResource(group, version, third) : undefined;
  if (within?.namespaced && second !== undefined) {
    return checked(within, second, target.slice(3), query);
  }
  const type = findResource(group, version, first ?? '');
  return type === undefined ? undefined : checked(type, undefined, target.slice(1), query);
}

function checked(
  type: ServedResource,
  namespace: string | undefined,
  rest: readonly string[],
  query: URLSearchParams,
): ResourceRoute | undefined {
  const [name, subresource, ...more] = rest;
  if (more.length > 0) return undefined;
  if (type.namespaced && namespace === undefined && name !== undefined) return undefined;
  if (subresource !== undefined && !hasSubresource(type, subresource)) return undefined;
  return {
    kind: 'resource',
    type,
    query,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

function hasSubresource(type: ServedResource, subresource: string): boolean {
  return subresource === 'status' ? type.statusSubresource : type.subresources.includes(subresource);
}

/** What `method` does on `route`; undefined where the real server answers 405. */
export function verbOf(
  method: string,
  { type, name, namespace, subresource, query }: ResourceRoute,
): Verb | undefined {
  const createOnly = subresource === 'binding' || subresource === 'eviction';
  if (createOnly) return method === 'POST' ? 'create' : undefined;
  if (subresource === 'finalize') return method === 'PUT' ? 'update' : undefined;
  switch (method) {
    case 'GET':
      // One object can only be watched as a list of one.
      if (name !== undefined) return 'get';
      return isTrue(query.get('watch')) ? 'watch' : 'list';
    case 'POST':
      // Objects in namespaces are made in one.
      if (name !== undefined || (type.namespaced && namespace === undefined)) return undefined;
      return 'create';
    case 'PUT':
      return name === undefined ? undefined : 'update';
    case 'PATCH':
      return name === undefined ? undefined : 'patch';
    case 'DELETE':
      if (subresource !== undefined) return undefined;
      if (name !== undefined) return 'delete';
      return type.namespaced && namespace === undefined ? undefined : 'deletecollection';
    default:
      return undefined;
  }
}
