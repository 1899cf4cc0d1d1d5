// Somebody's admission policy that refuses deletions: unlike a fault, it also stands before the cluster's own controllers.

import { StatusError } from '../store/status-error.ts';
import type { ResourceType, StoredObject, WriteContext } from '../store/store.ts';

/** Which deletions are refused, and with which answer. */
export interface DeletionRefusal {
  /** Plural: `pods`. */
  readonly resource: string;
  /** Of the object; default: any. */
  readonly namespace?: string;
  /** Of the object; default: any. */
  readonly name?: string;
  /**
   * 403: a policy or a webhook says no. 500: the webhook that is to be asked does not answer, and its failure policy is
   * `Fail`. Default 403.
   */
  readonly code?: 403 | 500;
  /** The policy's own words. Default: that it is protected. */
  readonly message?: string;
  /** Kubelets may confirm the end of their pods all the same, as most such policies have it. Default true. */
  readonly exceptKubelets?: boolean;
}

/**
 * The admission policies of one API server, as far as they are about deletions.
 *
 * @example Nobody gets a pod deleted, the pod garbage collector included
 * ```ts
 * const lift = cluster.admission.refuseDeletion({ resource: 'pods', namespace: 'default', name: 'db-0' });
 * ```
 */
export class Admission {
  readonly #refusals = new Set<DeletionRefusal>();

  /** Refuses from now on; the function that it returns ends it, once. */
  refuseDeletion(refusal: DeletionRefusal): () => void {
    // A copy, so that the same words may be said twice and taken back once.
    const own = { ...refusal };
    this.#refusals.add(own);
    return () => {
      this.#refusals.delete(own);
    };
  }

  /** Ends all of them. */
  clear(): void {
    this.#refusals.clear();
  }

  /**
   * Asked by the store before it deletes an object. Returns if nobody refuses.
   *
   * @throws StatusError when somebody does.
   */
  checkDeletion(type: ResourceType, { metadata }: StoredObject, { user }: WriteContext): void {
    for (const { resource, namespace, name, code = 403, message, exceptKubelets = true } of this.#refusals) {
      if (resource !== type.plural) continue;
      if (namespace !== undefined && namespace !== metadata.namespace) continue;
      if (name !== undefined && name !== metadata.name) continue;
      if (exceptKubelets && user.startsWith('system:node:')) continue;
      throw refused(code, message ?? `${resource} "${metadata.name}" is protected`);
    }
  }
}

/** In the words of a webhook that says no, and of an API server that can't reach one. */
function refused(code: 403 | 500, message: string): StatusError {
  return code === 403
    ? new StatusError(
        403,
        'Forbidden',
        `admission webhook "protect.example.com" denied the request: ${message}`,
      )
    : new StatusError(
        500,
        'InternalError',
        'Internal error occurred: failed calling webhook "protect.example.com": context deadline exceeded',
      );
}
