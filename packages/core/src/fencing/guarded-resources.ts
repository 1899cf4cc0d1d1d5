// The port through which a fencer writes to custom resources: there is no other way for one to write to Kubernetes.
import type { KubernetesObject } from '../kubernetes/objects.ts';
import type { Resource } from '../kubernetes/resources.ts';
import type { FenceRefusal } from './permit.ts';

/** An object that is to be created; its name is all that the server does not fill in. */
export type NewObject<T extends KubernetesObject> = Omit<T, 'metadata' | 'apiVersion' | 'kind'> & {
  readonly metadata: Pick<T['metadata'], 'name' | 'labels' | 'annotations'>;
};

/**
 * Custom resources without a namespace, as one call of a fencer may change them. Never Kubernetes' own: those refuse with a TypeError.
 *
 * Each write asks for the permit itself, right before, checks the term as its bytes leave, and is conditional on what was read through
 * this very port. What was refused was not sent. Every method may throw what a read of Kubernetes throws, and after a write without
 * an answer nobody knows what became of it: read it back.
 */
export interface GuardedResources {
  /** As it is now, never from a cache; undefined when there is none. */
  read<T extends KubernetesObject>(resource: Resource<T>, name: string): Promise<T | undefined>;
  /** `exists`: something of that name is there, and stays as it is. */
  create<T extends KubernetesObject>(
    resource: Resource<T>,
    object: NewObject<T>,
  ): Promise<'written' | 'exists' | FenceRefusal>;
  /**
   * Merges `change` into what was read. `conflict`: it is another one by now, or has changed; `gone`: there is none.
   */
  patch<T extends KubernetesObject>(
    resource: Resource<T>,
    seen: T,
    change: { readonly spec: object },
  ): Promise<'written' | 'conflict' | 'gone' | FenceRefusal>;
  /** Asks for its end; a finalizer may keep it for a while. */
  delete<T extends KubernetesObject>(
    resource: Resource<T>,
    seen: T,
  ): Promise<'written' | 'conflict' | 'gone' | FenceRefusal>;
}
