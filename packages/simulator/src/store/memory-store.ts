// The embedded Kubernetes' memory: every object, one resourceVersion for all, and the rules by which they change.
import type { Clock, Random } from '@liberator/core';
import { Collection, inKeyOrder, keyOf, keyOfObject } from './collection.ts';
import { decodeFields } from './decoding.ts';
import { applyDefaults, type Draft, resetForCreate, tolerateNodeTrouble } from './defaults.ts';
import { isReleased, planDeletion, timestamp } from './deletion.ts';
import { parseFieldSelector } from './field-selector.ts';
import { parseLabelSelector } from './label-selector.ts';
import { generateName, generateUid } from './object-names.ts';
import { apiVersionOf, resources, type ServedResource, servedAs, servedResources } from './resources.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  invalid,
  modifiedMeanwhile,
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
import { createErrors, updateErrors } from './validation.ts';
import { copyOf, frozenCopyOf, sameMeaning } from './wire-value.ts';

/** A write that was done, for whoever keeps a record. */
export interface StoreWrite {
  readonly verb: 'create' | 'update' | 'delete';
  readonly type: ResourceType;
  readonly subresource?: string;
  readonly object: StoredObject;
  readonly context: WriteContext;
}

/** Options of {@link createStore}. */
export interface StoreOptions {
  /** Timestamps come from its wall time; nothing else does. */
  readonly clock: Clock;
  /** Uids and generated names come from here: the same seed gives the same ones. */
  readonly random: Random;
  /**
   * How many changes are kept per kind for watches that reconnect and for lists in pages; default 10000. Fewer cost
   * less memory and give more 410s.
   */
  readonly historyLimit?: number;
  /** How long pods tolerate `not-ready` and `unreachable` unless they say otherwise, in whole seconds; default 300. */
  readonly tolerationSeconds?: number;
  /** Called within each write that isn't recorded elsewhere, after it was done. */
  readonly onWrite?: (write: StoreWrite) => void;
}

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
  readonly #onWrite: ((write: StoreWrite) => void) | undefined;
  readonly #collections: ReadonlyMap<string, Collection>;
  #version = 1;
  readonly #undelivered: { collection: Collection; event: VersionedEvent }[] = [];
  #delivering = false;

  constructor({
    clock,
    random,
    historyLimit = defaultHistoryLimit,
    tolerationSeconds,
    onWrite,
  }: StoreOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#tolerationSeconds = tolerationSeconds;
    this.#onWrite = onWrite;
    this.#collections = new Map(
      servedResources.map((type) => [idOf(type), new Collection(historyLimit, this.#version)]),
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

  list(
    type: ResourceType,
    { namespace, fieldSelector, labelSelector }: ListOptions = {},
  ): readonly StoredObject[] {
    let objects = this.#collection(type).inOrder();
    if (namespace !== undefined && namespace !== '') {
      objects = objects.filter((object) => object.metadata.namespace === namespace);
    }
    if (fieldSelector !== undefined && fieldSelector !== '') {
      objects = objects.filter(parseFieldSelector(type, fieldSelector));
    }
    if (labelSelector !== undefined && labelSelector !== '') {
      const fits = parseLabelSelector(labelSelector);
      objects = objects.filter((object) => fits(object.metadata.labels));
    }
    return objects;
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
    this.#checkVersion(served, draft, current);
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
    const draft = copyOf(current) as unknown as Draft;
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
    const draft = copyOf(current) as unknown as Draft;
    const spec = draft.spec ?? {};
    if (draft.metadata.deletionTimestamp !== undefined) {
      throw conflict(
        { ...served, plural: 'pods/binding' },
        name,
        `pod ${name} is being deleted, cannot be assigned to a host`,
      );
    }
    if (spec['nodeName']) {
      throw conflict(
        { ...served, plural: 'pods/binding' },
        name,
        `pod ${name} is already assigned to node ${JSON.stringify(spec['nodeName'])}`,
      );
    }
    draft.spec = { ...spec, nodeName };
    const status = draft.status ?? {};
    const others = (Array.isArray(status['conditions']) ? status['conditions'] : []).filter(
      (one: { type?: string }) => one.type !== 'PodScheduled',
    );
    const scheduled = {
      type: 'PodScheduled',
      status: 'True',
      lastProbeTime: null,
      lastTransitionTime: timestamp(this.#clock.wallTime()),
    };
    draft.status = { ...status, conditions: [...others, scheduled] };
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
    this.#checkVersion(served, draft, current);
    return this.#replace(served, draft, current, context, subresource);
  }

  finalizeNamespace(namespace: object, context: WriteContext): StoredObject {
    const served = resources.namespaces;
    const sent = draftOf(served, namespace);
    const current = this.get(served, undefined, sent.metadata.name);
    const draft = copyOf(current) as unknown as Draft;
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
    const found = this.#collections.get(idOf(type));
    if (found === undefined)
      throw new Error(`expected a served kind, found ${idOf(type)}: take it from "resources"`);
    return found;
  }

  #checkNamespace(type: ServedResource, { metadata }: Draft): void {
    if (!type.namespaced) {
      delete metadata.namespace;
      return;
    }
    const { namespace } = metadata;
    if (!namespace) throw badRequest('an empty namespace may not be set during creation');
    const found = this.get(resources.namespaces, undefined, namespace);
    if (found.metadata.deletionTimestamp === undefined) return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    throw forbidden(type, metadata.name, why, [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ]);
  }

  #checkVersion(type: ServedResource, { metadata }: Draft, current: StoredObject): void {
    const { resourceVersion } = metadata;
    if (!resourceVersion || resourceVersion === '0') return;
    if (!/^\d+$/.test(resourceVersion)) {
      throw serverFault(`strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`);
    }
    if (resourceVersion !== current.metadata.resourceVersion) throw modifiedMeanwhile(type, metadata.name);
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
    const before = copyOf(current) as unknown as Draft;
    if (subresource === 'status') {
      if (before.spec === undefined) delete draft.spec;
      else draft.spec = before.spec;
    } else if (type.statusSubresource) {
      if (before.status === undefined) delete draft.status;
      else draft.status = before.status;
    }
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
    if (collection.watchers.size === 0) return;
    this.#undelivered.push({ collection, event });
    if (this.#delivering) return;
    this.#delivering = true;
    queueMicrotask(() => this.#deliver());
  }

  /** One change a turn: a watcher that writes sees the others informed of the earlier change first. */
  #deliver(): void {
    const next = this.#undelivered.shift();
    this.#delivering = this.#undelivered.length > 0;
    if (this.#delivering) queueMicrotask(() => this.#deliver());
    if (next === undefined) return;
    for (const watcher of next.collection.watchers) watcher(next.event);
  }
}

const idOf = (type: ResourceType): string => `${type.group}/${type.plural}`;

function draftOf(type: ServedResource, object: object): Draft {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = copyOf(object) as unknown as Draft;
  // In the order in which the real server writes them.
  const draft: Draft = {
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    metadata: { ...metadata },
    ...rest,
  };
  delete draft.metadata.managedFields;
  delete draft.metadata.selfLink;
  decodeFields(type, draft);
  return draft;
}

function keepWhatOnlyTheServerSets({ metadata }: Draft, current: StoredObject): void {
  const before = current.metadata as unknown as Draft['metadata'];
  metadata.uid ||= before.uid;
  // Sent along unchanged is fine, left out too; another value is an error that validation finds.
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (before[field] !== undefined) Object.assign(metadata, { [field]: metadata[field] ?? before[field] });
  }
  for (const field of ['creationTimestamp', 'generation'] as const) {
    if (before[field] === undefined) delete metadata[field];
    else Object.assign(metadata, { [field]: before[field] });
  }
}

/** What is empty isn't shown, and counts as not there. */
function dropEmpty({ metadata }: Draft): void {
  for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const) {
    if (sameMeaning(metadata[field], undefined)) delete metadata[field];
  }
}
