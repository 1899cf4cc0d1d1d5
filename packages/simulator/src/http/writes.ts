// Requests that change something: create, replace, patch, delete, and the subresources that do one thing each.
import { resources, type ServedResource } from '../store/resources.ts';
import { badRequest, invalid, modifiedMeanwhile, notFound, required } from '../store/status-error.ts';
import type { ServerStore, StoredObject, WriteContext } from '../store/store.ts';
import { copyOf, isObject, type JsonObject } from '../store/wire-value.ts';
import { isDryRun, readDeleteOptions, readObject } from './body.ts';
import { evict } from './eviction.ts';
import { selectionOf } from './pages.ts';
import { patchedObject } from './patching.ts';
import { type ApiRequest, type ApiResponse, jsonResponse } from './request.ts';
import type { ResourceRoute, Verb } from './route.ts';

type WriteVerb = Exclude<Verb, 'get' | 'list' | 'watch'>;

/** @throws StatusError for every answer that isn't success. */
export function answerWrite(
  store: ServerStore,
  request: ApiRequest,
  route: ResourceRoute,
  verb: WriteVerb,
): ApiResponse {
  switch (verb) {
    case 'create':
      if (route.subresource === 'binding') return bindPod(store, request, route);
      if (route.subresource === 'eviction') return evictPod(store, request, route);
      return createObject(store, request, route);
    case 'update':
      return replaceObject(store, request, route);
    case 'patch':
      return patchObject(store, request, route);
    case 'delete':
      return deleteObject(store, request, route);
    case 'deletecollection':
      return deleteCollection(store, request, route);
  }
}

function contextOf({ user }: ApiRequest, dryRun: boolean): WriteContext {
  return { user, audited: true, dryRun };
}

function createObject(
  store: ServerStore,
  request: ApiRequest,
  { type, namespace, query }: ResourceRoute,
): ApiResponse {
  const object = readObject(request, type);
  placeInNamespace(object, type, namespace);
  const context = contextOf(request, isDryRun(query));
  return jsonResponse(201, store.create(type, object, context));
}

/** The namespace in the URL counts; the object may only repeat it. */
function placeInNamespace(object: JsonObject, type: ServedResource, namespace: string | undefined): void {
  const metadata = metadataOf(object);
  if (!type.namespaced) {
    if (metadata['namespace'])
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    return;
  }
  if (metadata['namespace'] && metadata['namespace'] !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  metadata['namespace'] = namespace;
}

const metadataOf = (object: JsonObject): JsonObject =>
  isObject(object['metadata']) ? object['metadata'] : {};

function replaceObject(store: ServerStore, request: ApiRequest, route: ResourceRoute): ApiResponse {
  const { type, namespace, name = '', query, subresource } = route;
  const object = readObject(request, type);
  const metadata = metadataOf(object);
  if (!metadata['name']) throw badRequest('name must be provided');
  if (metadata['name'] !== name) {
    throw badRequest(
      `the name of the object (${metadata['name']}) does not match the name on the URL (${name})`,
    );
  }
  placeInNamespace(object, type, namespace);
  const context = contextOf(request, isDryRun(query));
  if (subresource === 'finalize') return jsonResponse(200, store.finalizeNamespace(object, context));
  const existed = store.find(type, namespace, name) !== undefined;
  const written = store.update(type, object, context, subresource === 'status' ? 'status' : undefined);
  return jsonResponse(existed ? 200 : 201, written);
}

function patchObject(store: ServerStore, request: ApiRequest, route: ResourceRoute): ApiResponse {
  const { type, namespace, name = '', query, subresource } = route;
  const current = store.get(type, namespace, name);
  const draft = patchedObject(request, type, current);
  if (draft.metadata.resourceVersion && draft.metadata.resourceVersion !== current.metadata.resourceVersion) {
    throw modifiedMeanwhile(type, name);
  }
  if (draft.metadata.name !== name) {
    throw badRequest(
      `the name of the object (${draft.metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  const context = contextOf(request, isDryRun(query));
  draft.metadata.resourceVersion = current.metadata.resourceVersion;
  return jsonResponse(
    200,
    store.update(type, draft, context, subresource === 'status' ? 'status' : undefined),
  );
}

function deleteObject(store: ServerStore, request: ApiRequest, route: ResourceRoute): ApiResponse {
  const { type, namespace, name = '', query } = route;
  const options = readDeleteOptions(request, query);
  const before = store.get(type, namespace, name);
  const deleted = store.delete(type, namespace, name, options, contextOf(request, options.dryRun));
  return deletionAnswer(store, type, before, deleted);
}

function deletionAnswer(
  store: ServerStore,
  type: ServedResource,
  before: StoredObject,
  deleted: StoredObject,
): ApiResponse {
  const remains = store.find(type, before.metadata.namespace, before.metadata.name) === deleted;
  if (remains || type.returnsDeleted) return jsonResponse(200, deleted);
  return jsonResponse(200, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: before.metadata.name,
      ...(type.group === '' ? {} : { group: type.group }),
      kind: type.plural,
      uid: before.metadata.uid,
    },
  });
}

function deleteCollection(store: ServerStore, request: ApiRequest, route: ResourceRoute): ApiResponse {
  const { type, query } = route;
  const options = readDeleteOptions(request, query);
  const context = contextOf(request, options.dryRun);
  const items = store.list(type).filter(selectionOf(route));
  for (const { metadata } of items) store.delete(type, metadata.namespace, metadata.name, options, context);
  return jsonResponse(200, {
    kind: `${type.kind}List`,
    apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`,
    metadata: { resourceVersion: String(store.resourceVersion()) },
    items: items.map(({ apiVersion: _version, kind: _kind, ...item }) => item),
  });
}

const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

function bindPod(store: ServerStore, request: ApiRequest, route: ResourceRoute): ApiResponse {
  const { namespace = '', name = '', query } = route;
  const binding = readObject(request, resources.pods, 'Binding');
  checkSubresourceName(binding, name);
  const target = isObject(binding['target']) ? binding['target'] : {};
  if (typeof target['name'] !== 'string' || target['name'] === '') {
    throw invalid({ group: '', plural: 'bindings', kind: 'Binding' }, name, [required('target.name', '')]);
  }
  store.bind(namespace, name, target['name'], contextOf(request, isDryRun(query)));
  return jsonResponse(201, success);
}

function evictPod(store: ServerStore, request: ApiRequest, route: ResourceRoute): ApiResponse {
  const { namespace = '', name = '', query } = route;
  const eviction = readObject(request, resources.pods, 'Eviction');
  checkSubresourceName(eviction, name);
  if (store.find(resources.pods, namespace, name) === undefined) throw notFound(resources.pods, name);
  const deleteOptions = copyOf(eviction['deleteOptions'] ?? {});
  const options = readDeleteOptions({ ...request, body: JSON.stringify(deleteOptions) }, query);
  evict(store, namespace, name, options, contextOf(request, options.dryRun));
  return jsonResponse(201, success);
}

function checkSubresourceName(object: JsonObject, name: string): void {
  const found = metadataOf(object)['name'];
  if (found === name) return;
  throw badRequest(`name in URL does not match name in Eviction object: ${name} != ${found ?? ''}`);
}
