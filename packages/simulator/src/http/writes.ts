// Requests that change something: create, replace, patch, delete, and the subresources that do one thing each.
import type { Clock } from '@liberator/core';
import { resources, type ServedResource } from '../store/resources.ts';
import { badRequest, serverFault } from '../store/status-error.ts';
import type { ServerStore, StoredObject, WriteContext } from '../store/store.ts';
import { fieldsOf, type JsonObject } from '../store/wire-value.ts';
import { isDryRun, readDeleteOptions, readObject } from './body.ts';
import { evict } from './eviction.ts';
import { asItem, selectedBy } from './pages.ts';
import { patchedObject } from './patching.ts';
import { type ApiRequest, type ApiResponse, jsonResponse } from './request.ts';
import type { ResourceRoute, Verb } from './route.ts';

type WriteVerb = Exclude<Verb, 'get' | 'list' | 'watch'>;

/** What a write needs from the server around it. */
export interface WriteEnvironment {
  readonly store: ServerStore;
  readonly clock: Clock;
}

/** @throws StatusError for every answer that isn't success. */
export function answerWrite(
  environment: WriteEnvironment,
  request: ApiRequest,
  route: ResourceRoute,
  verb: WriteVerb,
): ApiResponse {
  const { store } = environment;
  switch (verb) {
    case 'create':
      if (route.subresource === 'binding') return bindPod(store, request, route);
      if (route.subresource === 'eviction') return evictPod(environment, request, route);
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
  const context = contextOf(request, isDryRun('CreateOptions', query.getAll('dryRun')));
  return jsonResponse(201, store.create(type, object, context));
}

/** The namespace in the URL counts; the object may only repeat it. */
function placeInNamespace(object: JsonObject, type: ServedResource, namespace: string | undefined): void {
  const metadata = metadataOf(object);
  if (!type.namespaced) {
    delete metadata['namespace'];
    return;
  }
  if (metadata['namespace'] && metadata['namespace'] !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  metadata['namespace'] = namespace;
}

const metadataOf = (object: JsonObject): JsonObject => fieldsOf(object['metadata']);

function replaceObject(store: ServerStore, request: ApiRequest, route: ResourceRoute): ApiResponse {
  const { type, namespace, name = '', query, subresource } = route;
  const object = readObject(request, type);
  const metadata = metadataOf(object);
  if (!metadata['name'])
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  if (metadata['name'] !== name) {
    throw badRequest(
      `the name of the object (${metadata['name']}) does not match the name on the URL (${name})`,
    );
  }
  placeInNamespace(object, type, namespace);
  const context = contextOf(request, isDryRun('UpdateOptions', query.getAll('dryRun')));
  if (subresource === 'finalize') return jsonResponse(200, store.finalizeNamespace(object, context));
  const existed = store.find(type, namespace, name) !== undefined;
  const written = store.update(type, object, context, subresource === 'status' ? 'status' : undefined);
  return jsonResponse(existed ? 200 : 201, written);
}

function patchObject(store: ServerStore, request: ApiRequest, route: ResourceRoute): ApiResponse {
  const { type, namespace, name = '', query, subresource } = route;
  const context = contextOf(request, isDryRun('PatchOptions', query.getAll('dryRun')));
  const change = (current: StoredObject): object => patchedObject(request, type, current);
  return jsonResponse(
    200,
    store.patch(type, namespace, name, change, context, subresource === 'status' ? 'status' : undefined),
  );
}

function deleteObject(store: ServerStore, request: ApiRequest, route: ResourceRoute): ApiResponse {
  const { type, namespace, name = '', query } = route;
  const options = readDeleteOptions(request, query);
  const context = contextOf(request, options.dryRun);
  const { object, removed } = store.performDeletion(type, namespace, name, options, context);
  if (!removed || type.returnsDeleted) return jsonResponse(200, object);
  return jsonResponse(200, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name,
      ...(type.group === '' ? {} : { group: type.group }),
      kind: type.plural,
      uid: object.metadata.uid,
    },
  });
}

function deleteCollection(store: ServerStore, request: ApiRequest, route: ResourceRoute): ApiResponse {
  const { type, query } = route;
  const options = readDeleteOptions(request, query);
  const context = contextOf(request, options.dryRun);
  const items = store.list(type).filter(selectedBy(route));
  for (const { metadata } of items) store.delete(type, metadata.namespace, metadata.name, options, context);
  return jsonResponse(200, {
    kind: `${type.kind}List`,
    apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`,
    metadata: { resourceVersion: String(store.resourceVersion()) },
    items: items.map(asItem),
  });
}

const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

function bindPod(store: ServerStore, request: ApiRequest, route: ResourceRoute): ApiResponse {
  const { namespace = '', name = '', query } = route;
  const binding = readObject(request, resources.pods, 'Binding');
  const metadata = metadataOf(binding);
  if (metadata['name'] !== name) throw badRequest('name in URL does not match name in Binding object');
  const target = fieldsOf(binding['target']);
  if (target['kind'] && target['kind'] !== 'Node') {
    throw serverFault(
      `target.kind: Unsupported value: ${JSON.stringify(target['kind'])}: supported values: "Node", "<empty>"`,
    );
  }
  if (typeof target['name'] !== 'string' || target['name'] === '')
    throw serverFault('target.name: Required value');
  const context = contextOf(request, isDryRun('CreateOptions', query.getAll('dryRun')));
  const uid = metadata['uid'];
  store.bind(namespace, name, target['name'], context, typeof uid === 'string' ? uid : undefined);
  return jsonResponse(201, success);
}

function evictPod(
  { store, clock }: WriteEnvironment,
  request: ApiRequest,
  route: ResourceRoute,
): ApiResponse {
  const { namespace = '', name = '', query } = route;
  const eviction = readObject(request, resources.pods, 'Eviction');
  if (metadataOf(eviction)['name'] !== name) {
    throw badRequest('name in URL does not match name in Eviction object');
  }
  const asked = fieldsOf(eviction['deleteOptions']);
  const options = readDeleteOptions({ ...request, body: JSON.stringify(asked) }, query);
  const dryRun = options.dryRun || isDryRun('CreateOptions', query.getAll('dryRun'));
  const context = contextOf(request, dryRun);
  evict(store, { namespace, name, options, context, wallTimeMs: clock.wallTime() });
  return jsonResponse(201, success);
}
