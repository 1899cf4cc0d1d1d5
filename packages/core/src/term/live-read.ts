// Proof, for the type checker and at run time, that an object was read live within a given term.

import type { KubernetesObject } from '../kubernetes/objects.ts';
import type { LeaderTerm } from './leader-term.ts';

declare const readLive: unique symbol;

/**
 * An object as the API server itself had it, read in this very term, not copied from a watch cache. Destructive writes
 * take one, and are conditional on the uid and the resourceVersion in it. Only the Kubernetes room can make one.
 */
export interface LiveRead<T extends KubernetesObject> {
  /** As the server had it. */
  readonly object: T;
  /** The term in which it was read. */
  readonly term: LeaderTerm;
  /** Never there: keeps others from making one. */
  readonly [readLive]: true;
}

/** Internal to the Kubernetes room. */
export function asLiveRead<T extends KubernetesObject>(object: T, term: LeaderTerm): LiveRead<T> {
  return { object, term } as LiveRead<T>;
}
