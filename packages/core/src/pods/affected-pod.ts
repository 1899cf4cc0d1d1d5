// What is noted of a pod that has to leave its node, and of what becomes of it.

/** A volume that an affected pod uses. */
export interface AffectedVolume {
  /** Name of the PersistentVolumeClaim. */
  readonly claim: string;
  /** Name of the PersistentVolume; absent while the claim is not bound. */
  readonly volume?: string;
  /** The volume can only be used on these nodes, so a takeover may gain nothing for its pod. */
  readonly pinnedTo?: readonly string[];
}

/** A pod that was on the dead node and has to run elsewhere. */
export interface AffectedPod {
  /** The pod's namespace. */
  readonly namespace: string;
  /** The pod's name. */
  readonly name: string;
  /** The uid of the pod that was on the node: its replacement has another. */
  readonly uid: string;
  /** The StatefulSet that will recreate it under the same name; absent for other pods. */
  readonly statefulSet?: string;
  /** Those that it claims. */
  readonly volumes: readonly AffectedVolume[];
  /** No controller makes another one: once it is deleted, it is lost. */
  readonly bare?: true;
  /** Somebody wants it kept, by an annotation: it stays where it is, and so does its Node. */
  readonly kept?: true;
  /**
   * The pod that took its place, once it is Ready; the same one when its node was back before it was released. Absent
   * as long as nobody knows of any.
   */
  readonly replacement?: { readonly uid: string; readonly node: string; readonly readyAt: string };
  /** Why its place stays empty: nobody waits for that. */
  readonly unwanted?: UnwantedPod;
  /** The takeover that goes on with what took its place: of another death of the same node, which took that along. */
  readonly handedTo?: string;
}

/**
 * Why nobody makes a StatefulSet pod anew.
 * - `scaled-down`: its StatefulSet wants fewer pods, or begins to count elsewhere.
 * - `set-deleted`: there is no such StatefulSet, or it is being deleted.
 * - `namespace-deleted`: its namespace is gone or going.
 */
export type UnwantedPod = 'scaled-down' | 'set-deleted' | 'namespace-deleted';
