// What marks an object of ours that fences a node from its storage.

/** The death for which it was made; another one under the same name is somebody else's. */
export const fenceDeathLabel = 'liberator.dev/death';

/** Who looks after it, in the words that all of Kubernetes uses. */
export const managedByLabel = 'app.kubernetes.io/managed-by';

/** The value of {@link managedByLabel}. */
export const managedByUs = 'liberator';

/** The name of the node, for people: names of nodes can be longer than a label. */
export const fencedNodeAnnotation = 'liberator.dev/node';
