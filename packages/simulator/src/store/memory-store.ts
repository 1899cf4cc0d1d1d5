// The embedded Kubernetes' memory: every object, one resourceVersion for all, and the rules by which they change.
import type { Clock, Random } from '@liberator/core';
import { bindPod } from './binding.ts';
import { Collection, inKeyOrder, keyOf, keyOfObject } from './collection.ts';
import { applyDefaults, resetForCreate, tolerateNodeTrouble } from './defaults.ts';
import { isReleased, planDeletion, timestamp } from './deletion.ts';
import { Delivery } from './delivery.ts';
import { type Draft, draftFrom, draftOf, dropEmpty, keepPart, keepWhatOnlyTheServerSets } from './draft.ts';
import { generateName, generateUid } from './object-names.ts';
import { resources, type ServedResource, servedAs, servedResources } from './resources.ts';
import { selectionOf } from './selection.ts';
import {
  alreadyExists,
  badRequest,
  invalid,
  notFound,
  required,
  serverFault,
  uidMismatch,
  unconditionalUpdate,
} from './status-error.ts';
import type {
  DeleteOptions,
  Deletion,
  ListOptions,
  ResourceType,
  ServerStore,
  Snapshot,
  StoredObject,
  StoreEvent,
  VersionedEvent,
  WriteContext,
} from './store.ts';
import type { StoreOptions, StoreWrite } from './store-options.ts';
import { createErrors, updateErrors } from './validation.ts';
import { frozenCopyOf, sameMeaning } from './wire-value.ts';
import { checkNotTerminating, checkVersion } from './write-conditions.ts';

/** An empty cluster: nothing but the namespaces that every cluster has. */
export function createStore(options: StoreOptions): ServerStore {
  const store = new MemoryStore(options);
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    store.create(resources.namespaces, { metadata: { name } }, { user: 'system:apiserver' });
  }
  // What was there before a server started is beyond its memory: nobody can watch from version 1.
  store.compact();
  return store;
}

const defaultHistoryLimit = 10_000;

class MemoryStore implements ServerStore {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #tolerationSeconds: number | undefined;
  readonly #admitDeletion: StoreOptions['admitDeletion'];
  readonly #onWrite: ((write: StoreWrite) => void) | undefined;
  readonly #collections: ReadonlyMap<ServedResource, Collection>;
  #version = 1;
  readonly #delivery = new Delivery();

  constructor({
    clock,
    random,
    historyLimit = defaultHistoryLimit,
    tolerationSeconds,
    admitDeletion,
    onWrite,
  }: StoreOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#tolerationSeconds = tolerationSeconds;
    this.#admitDeletion = admitDeletion;
    this.#onWrite = onWrite;
    this.#collections = new Map(
      servedResources.map((type) => [type, new Collection(historyLimit, this.#version)]),
    );
  }

  resourceVersion(): number {
    return this.#version;
  }

  get(type: ResourceType, namespace: string | undefined, name: string): StoredObject {
    const found = this.find(type, namespace, name);
    if (found === undefined) throw notFound(type, name);
    return found;
  }

  find(type: ResourceType, namespace: string | undefined, name: string): StoredObject | undefined {
    return this.#collection(type).objects.get(keyOf(type.namespaced ? namespace : undefined, name));
  }

  list(type: ResourceType, options: ListOptions = {}): readonly StoredObject[] {
    const objects = this.#collection(type).inOrder();
    return Object.keys(options).length === 0 ? objects : objects.filter(selectionOf(type, options));
  }

  create(type: ResourceType, object: object, context: WriteContext): StoredObject {
    const served = servedAs(type);
    const draft = draftOf(served, object);
    const { metadata } = draft;
    if (metadata.resourceVersion) {
      throw serverFault('resourceVersion should not be set on objects to be created');
    }
    this.#checkNamespace(served, draft);
    if (!metadata.name && metadata.generateName)
      metadata.name = generateName(metadata.generateName, this.#random);
    if (!metadata.name) {
      throw invalid(served, '', [required('metadata.name', 'name or generateName is required')]);
    }
    metadata.uid = generateUid(this.#random);
    metadata.creationTimestamp = timestamp(this.#clock.wallTime());
    delete metadata.deletionTimestamp;
    delete metadata.deletionGracePeriodSeconds;
    if (served.generation) metadata.generation = 1;
    else delete metadata.generation;
    resetForCreate(served, draft, this.#tolerationSeconds);
    applyDefaults(served, draft);
    const errors = createErrors(served, draft);
    if (errors.length > 0) throw invalid(served, metadata.name, errors);
    if (this.find(served, metadata.namespace, metadata.name) !== undefined) {
      throw alreadyExists(served, metadata.name);
    }
    return this.#write('create', served, draft, undefined, context);
  }

  update(type: ResourceType, object: object, context: WriteContext, subresource?: 'status'): StoredObject {
    const served = servedAs(type);
    const draft = draftOf(served, object);
    const { name, namespace, uid } = draft.metadata;
    const resourceVersion = draft.metadata.resourceVersion === '0' ? '' : draft.metadata.resourceVersion;
    const current = this.find(served, namespace, name);
    if (current === undefined) {
      if (!served.createOnUpdate || subresource !== undefined) throw notFound(served, name);
      if (uid) throw uidMismatch(served, namespace, name, { asked: uid, found: '' });
      draft.metadata.resourceVersion = '';
      return this.create(served, draft, context);
    }
    if (uid && uid !== current.metadata.uid) {
      throw uidMismatch(served, namespace, name, { asked: uid, found: current.metadata.uid });
    }
    checkVersion(served, draft, current);
    if (!resourceVersion && served.conditionalUpdate) {
      throw unconditionalUpdate(served, name);
    }
    return this.#replace(served, draft, current, context, subresource);
  }

  modify<T extends object>(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    change: (draft: T) => undefined | boolean,
    context: WriteContext,
    subresource?: 'status',
  ): StoredObject {
    const served = servedAs(type);
    const current = this.get(served, namespace, name);
    const draft = draftFrom(current);
    if (!change(draft as unknown as T)) return current;
    return this.#replace(served, draft, current, context, subresource);
  }

  delete(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions,
    context: WriteContext,
  ): StoredObject {
    return this.performDeletion(type, namespace, name, options, context).object;
  }

  performDeletion(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions,
    context: WriteContext,
  ): Deletion {
    const served = servedAs(type);
    let object = this.get(served, namespace, name);
    this.#admitDeletion?.(served, object, context);
    const { marked, remove } = planDeletion(served, object, options, this.#clock.wallTime());
    if (marked !== undefined) {
      const silent = remove ? { ...context, audited: true } : context;
      object = this.#write('delete', served, marked, object, silent);
    }
    if (remove) object = this.#remove(served, object, context);
    return { object, removed: remove };
  }

  bind(namespace: string, name: string, nodeName: string, context: WriteContext, uid?: string): StoredObject {
    const served = resources.pods;
    const current = this.get(served, namespace, name);
    if (uid !== undefined && uid !== current.metadata.uid) {
      throw uidMismatch(served, namespace, name, { asked: uid, found: current.metadata.uid });
    }
    const draft = draftFrom(current);
    bindPod(draft, nodeName, this.#clock.wallTime());
    return this.#write('update', served, draft, current, context, 'binding');
  }

  patch(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    change: (current: StoredObject) => object,
    context: WriteContext,
    subresource?: 'status',
  ): StoredObject {
    const served = servedAs(type);
    const current = this.get(served, namespace, name);
    const draft = draftOf(served, change(current));
    checkVersion(served, draft, current);
    return this.#replace(served, draft, current, context, subresource);
  }

  finalizeNamespace(namespace: object, context: WriteContext): StoredObject {
    const served = resources.namespaces;
    const sent = draftOf(served, namespace);
    const current = this.get(served, undefined, sent.metadata.name);
    const draft = draftFrom(current);
    draft.spec = { ...draft.spec, finalizers: sent.spec?.['finalizers'] ?? [] };
    if (isReleased(served, draft, current)) return this.#remove(served, current, context);
    return this.#write('update', served, draft, current, context, 'finalize');
  }

  watch(type: ResourceType, listener: (event: StoreEvent) => void): () => void {
    const { watchers } = this.#collection(type);
    // The same function may be subscribed twice; each subscription ends on its own.
    const own = (event: VersionedEvent): void => listener(event);
    watchers.add(own);
    return () => watchers.delete(own);
  }

  snapshot(type: ResourceType, resourceVersion?: number): Snapshot {
    const collection = this.#collection(type);
    if (resourceVersion === undefined || resourceVersion >= this.#version) {
      return { resourceVersion: this.#version, objects: collection.inOrder() };
    }
    const then = collection.history.rewind(collection.objects, keyOfObject, resourceVersion);
    return { resourceVersion, objects: inKeyOrder(then) };
  }

  eventsAfter(type: ResourceType, resourceVersion: number, limit: number): readonly VersionedEvent[] {
    return this.#collection(type).history.after(resourceVersion, limit);
  }

  onChange(type: ResourceType, listener: () => void): () => void {
    const { changed } = this.#collection(type);
    const own = (): void => listener();
    changed.add(own);
    return () => changed.delete(own);
  }

  compact(): void {
    for (const { history } of this.#collections.values()) history.forget(this.#version);
  }

  #collection(type: ResourceType): Collection {
    const served = servedAs(type);
    const found = this.#collections.get(served);
    if (found === undefined) throw new Error(`expected a collection of ${served.plural}, found none`);
    return found;
  }

  #checkNamespace(type: ServedResource, { metadata }: Draft): void {
    if (!type.namespaced) {
      delete metadata.namespace;
      return;
    }
    const { namespace, name } = metadata;
    if (!namespace) throw badRequest('an empty namespace may not be set during creation');
    checkNotTerminating(type, name, this.get(resources.namespaces, undefined, namespace));
  }

  /** The common end of every replacement: what may not change is put back, the rest is checked and written. */
  #replace(
    type: ServedResource,
    draft: Draft,
    current: StoredObject,
    context: WriteContext,
    subresource?: 'status',
  ): StoredObject {
    keepWhatOnlyTheServerSets(draft, current);
    if (subresource === 'status') keepPart('spec', draft, current);
    else if (type.statusSubresource) keepPart('status', draft, current);
    applyDefaults(type, draft);
    if (type.plural === 'pods') tolerateNodeTrouble(draft, this.#tolerationSeconds);
    const errors = updateErrors(type, draft, current);
    if (errors.length > 0) throw invalid(type, draft.metadata.name, errors);
    if (type.generation && !sameMeaning(draft.spec, current.spec)) {
      draft.metadata.generation = (draft.metadata.generation ?? 0) + 1;
    }
    if (isReleased(type, draft, current)) {
      this.#remove(type, current, context);
      dropEmpty(draft);
      // Watches see the last state that was stored, the writer what it has written.
      return frozenCopyOf(draft) as unknown as StoredObject;
    }
    return this.#write('update', type, draft, current, context, subresource);
  }

  #write(
    verb: StoreWrite['verb'],
    type: ServedResource,
    draft: Draft,
    previous: StoredObject | undefined,
    context: WriteContext,
    subresource?: string,
  ): StoredObject {
    draft.metadata.resourceVersion = previous?.metadata.resourceVersion ?? '';
    dropEmpty(draft);
    if (previous !== undefined && sameMeaning(draft, previous)) return previous;
    if (context.dryRun) {
      const { resourceVersion: version, ...metadata } = draft.metadata;
      const shown = version === '' ? metadata : draft.metadata;
      return frozenCopyOf({ ...draft, metadata: shown }) as unknown as StoredObject;
    }
    this.#version += 1;
    draft.metadata.resourceVersion = String(this.#version);
    const object = frozenCopyOf(draft, previous) as unknown as StoredObject;
    this.#publish(type, {
      resourceVersion: this.#version,
      type: previous === undefined ? 'ADDED' : 'MODIFIED',
      object,
      ...(previous === undefined ? {} : { previous }),
    });
    if (!context.audited) {
      this.#onWrite?.({ verb, type, object, context, ...(subresource === undefined ? {} : { subresource }) });
    }
    return object;
  }

  #remove(type: ServedResource, current: StoredObject, context: WriteContext): StoredObject {
    if (context.dryRun) return current;
    this.#version += 1;
    const metadata = { ...current.metadata, resourceVersion: String(this.#version) };
    const object = frozenCopyOf({ ...current, metadata }, current);
    this.#publish(type, { resourceVersion: this.#version, type: 'DELETED', object, previous: current });
    if (!context.audited) this.#onWrite?.({ verb: 'delete', type, object, context });
    return object;
  }

  #publish(type: ServedResource, event: VersionedEvent): void {
    const collection = this.#collection(type);
    collection.apply(Object.freeze(event));
    this.#delivery.add(collection.watchers, event);
  }
}
