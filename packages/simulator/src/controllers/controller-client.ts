// A controller's way to the store: typed, under the controller's own name, and never at a namesake of what it meant.
import { resources } from '../store/resources.ts';
import { StatusError } from '../store/status-error.ts';
import type { DeleteOptions, ListOptions, Store } from '../store/store.ts';
import type { ComponentContext } from './controller.ts';
import type { Draft, Kinds } from './wire-objects.ts';

/** A change of one kind of object, as {@link Store.watch} reports it. */
export interface Change<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
  readonly previous?: T;
}

/** What a controller knows of an object that it means to write. Without a uid any object of that name will do. */
export interface Target {
  readonly metadata: { readonly namespace?: string; readonly name: string; readonly uid?: string };
}

/** Typed access to a {@link Store} under one user's name. An object that is gone is an outcome, not an error. */
export class ControllerClient {
  readonly #store: Store;
  readonly #context: ComponentContext;

  constructor(store: Store, user: string) {
    this.#store = store;
    this.#context = { user, fromInside: true };
  }

  find<P extends keyof Kinds>(plural: P, namespace: string | undefined, name: string): Kinds[P] | undefined {
    return this.#store.find(resources[plural], namespace, name) as Kinds[P] | undefined;
  }

  /** The object as it is now, unless it is gone or another one of that name took its place. */
  current<P extends keyof Kinds>(plural: P, target: Target): Kinds[P] | undefined {
    const { namespace, name, uid } = target.metadata;
    const found = this.find(plural, namespace, name);
    return uid === undefined || found?.metadata.uid === uid ? found : undefined;
  }

  list<P extends keyof Kinds>(plural: P, options?: ListOptions): readonly Kinds[P][] {
    return this.#store.list(resources[plural], options) as readonly unknown[] as readonly Kinds[P][];
  }

  /** @throws StatusError where the store refuses, AlreadyExists included. */
  create<P extends keyof Kinds>(plural: P, object: object): Kinds[P] {
    const type = resources[plural];
    const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
    const stored = this.#store.create(type, { apiVersion, kind: type.kind, ...object }, this.#context);
    return stored as unknown as Kinds[P];
  }

  /** Applies `change` to the object as it is now; undefined when it is gone or replaced by a namesake. */
  change<P extends keyof Kinds>(
    plural: P,
    target: Target,
    change: (draft: Draft<Kinds[P]>) => undefined | boolean,
    subresource?: 'status',
  ): Kinds[P] | undefined {
    if (this.current(plural, target) === undefined) return undefined;
    const { namespace, name } = target.metadata;
    const stored = this.#store.modify(resources[plural], namespace, name, change, this.#context, subresource);
    return stored as unknown as Kinds[P];
  }

  /** Binds a pod to a node. @throws StatusError when it is bound or being deleted. */
  bind(pod: Target, nodeName: string): void {
    const { namespace = 'default', name } = pod.metadata;
    this.#store.bind(namespace, name, nodeName, this.#context);
  }

  /** Deletes this very object. Returns false when it is gone already. */
  delete<P extends keyof Kinds>(plural: P, target: Target, options: DeleteOptions = {}): boolean {
    const { namespace, name, uid } = target.metadata;
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    try {
      this.#store.delete(resources[plural], namespace, name, { ...preconditions, ...options }, this.#context);
      return true;
    } catch (error) {
      if (error instanceof StatusError && (error.status.code === 404 || error.status.code === 409))
        return false;
      throw error;
    }
  }

  watch<P extends keyof Kinds>(plural: P, listener: (change: Change<Kinds[P]>) => void): () => void {
    return this.#store.watch(resources[plural], (event) => listener(event as unknown as Change<Kinds[P]>));
  }
}
