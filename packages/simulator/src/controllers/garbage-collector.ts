// Deletes what nobody owns any more: the pods of a StatefulSet that was deleted, the Lease of a Node.
import { type ServedResource, servedResources } from '../store/resources.ts';
import type { Store, StoredObject } from '../store/store.ts';
import { type ComponentContext, type Controller, type ControllerContext, isRefusal } from './controller.ts';
import type { Draft, KubernetesObject, OwnerReference } from './wire-objects.ts';
import { WorkQueue } from './work-queue.ts';

const context: ComponentContext = {
  user: 'system:serviceaccount:kube-system:generic-garbage-collector',
  fromInside: true,
};
const orphan = 'orphan';
const foreground = 'foregroundDeletion';

/** An object and the kind that it is of. */
interface Located {
  readonly type: ServedResource;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
}

/** Knows who depends on whom from the changes that it sees, and acts when an owner is gone or wants to go. */
export class GarbageCollector implements Controller {
  readonly #store: Store;
  readonly #queue: WorkQueue;
  readonly #objects = new Map<string, Located>();
  readonly #dependents = new Map<string, Set<string>>();
  readonly #ends: (() => void)[] = [];

  constructor(own: ControllerContext) {
    this.#store = own.store;
    this.#queue = new WorkQueue(own, 'garbage collector', (uid) => this.#process(uid));
  }

  start(): void {
    for (const type of servedResources) {
      this.#ends.push(
        this.#store.watch(type, (event) => {
          if (event.type === 'DELETED') this.#onGone(event.object);
          else if (!sameBonds(event.object, event.previous)) this.#onSeen(type, event.object);
        }),
      );
      for (const object of this.#store.list(type)) this.#onSeen(type, object);
    }
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#queue.stop();
  }

  #onSeen(type: ServedResource, object: StoredObject): void {
    const { name, namespace, uid, ownerReferences = [], deletionTimestamp } = object.metadata;
    this.#objects.set(uid, { type, namespace, name, uid });
    for (const owner of ownerReferences) {
      const known = this.#dependents.get(owner.uid) ?? new Set();
      this.#dependents.set(owner.uid, known.add(uid));
    }
    if (ownerReferences.length > 0 || deletionTimestamp !== undefined) this.#queue.add(uid);
  }

  #onGone({ metadata }: StoredObject): void {
    this.#objects.delete(metadata.uid);
    this.#queue.remove(metadata.uid);
    for (const owner of metadata.ownerReferences ?? []) {
      this.#dependents.get(owner.uid)?.delete(metadata.uid);
      // It may have been the last one that an owner waited for.
      if (this.#objects.has(owner.uid)) this.#queue.add(owner.uid);
    }
    for (const dependent of this.#dependents.get(metadata.uid) ?? []) this.#queue.add(dependent);
    this.#dependents.delete(metadata.uid);
  }

  #process(uid: string): void {
    const located = this.#objects.get(uid);
    const object = located && this.#store.find(located.type, located.namespace, located.name);
    if (located === undefined || object?.metadata.uid !== uid) return;
    const { ownerReferences = [], deletionTimestamp, finalizers = [] } = object.metadata;
    if (deletionTimestamp === undefined) {
      const isOrphan =
        ownerReferences.length > 0 && !ownerReferences.some((owner) => this.#exists(owner, located));
      if (isOrphan) this.#delete(located, { propagationPolicy: 'Background' });
      return;
    }
    if (finalizers.includes(orphan)) this.#letGo(located);
    if (finalizers.includes(foreground)) this.#takeAlong(located);
  }

  #exists(owner: OwnerReference, dependent: Located): boolean {
    const [group = '', version = ''] = owner.apiVersion.includes('/')
      ? owner.apiVersion.split('/')
      : ['', owner.apiVersion];
    const type = servedResources.find(
      (one) => one.group === group && one.version === version && one.kind === owner.kind,
    );
    // Owners of a kind that isn't served can't be looked up, so they are believed.
    if (type === undefined) return true;
    const found = this.#store.find(type, type.namespaced ? dependent.namespace : undefined, owner.name);
    return found?.metadata.uid === owner.uid;
  }

  #delete(
    { type, namespace, name, uid }: Located,
    options: { readonly propagationPolicy: 'Background' | 'Foreground' },
  ): void {
    try {
      this.#store.delete(type, namespace, name, { ...options, preconditions: { uid } }, context);
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }

  #dependentsOf(uid: string): readonly Located[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#objects.get(dependent) ?? []);
  }

  /** Orphan: dependents lose their reference, then the owner may go. */
  #letGo(owner: Located): void {
    for (const dependent of this.#dependentsOf(owner.uid)) {
      this.#change(dependent, (draft) => {
        const others = (draft.metadata.ownerReferences ?? []).filter(
          (reference) => reference.uid !== owner.uid,
        );
        draft.metadata.ownerReferences = others;
      });
    }
    this.#change(owner, (draft) => removeFinalizer(draft, orphan));
  }

  /** Foreground: dependents go first, and the owner when none of them is left. */
  #takeAlong(owner: Located): void {
    const left = this.#dependentsOf(owner.uid);
    for (const dependent of left) this.#delete(dependent, { propagationPolicy: 'Foreground' });
    if (left.length === 0) this.#change(owner, (draft) => removeFinalizer(draft, foreground));
  }

  #change({ type, namespace, name, uid }: Located, change: (draft: Draft<KubernetesObject>) => void): void {
    if (this.#store.find(type, namespace, name)?.metadata.uid !== uid) return;
    this.#store.modify<Draft<KubernetesObject>>(
      type,
      namespace,
      name,
      (draft) => {
        change(draft);
        return true;
      },
      context,
    );
  }
}

function removeFinalizer(draft: Draft<KubernetesObject>, finalizer: string): void {
  draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((one) => one !== finalizer);
}

/** Whether a change left alone all that is looked at here. Versions of an object share what they have in common. */
function sameBonds({ metadata: now }: StoredObject, previous: StoredObject | undefined): boolean {
  const before = previous?.metadata;
  return (
    now.ownerReferences === before?.ownerReferences &&
    now.finalizers === before?.finalizers &&
    now.deletionTimestamp === before?.deletionTimestamp &&
    now.uid === before?.uid
  );
}
