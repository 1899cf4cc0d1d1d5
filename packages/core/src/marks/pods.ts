// The marks on pods that nobody may take away.

/** On what the API shows of a pod that a kubelet runs by itself, from a file. */
export const mirrorPodAnnotation = 'kubernetes.io/config.mirror';

/**
 * Put on a pod by people: no takeover deletes it, nor its Node, nor has Kubernetes evict it. Any value but `false` counts.
 * Meant for pods that nobody makes anew, which are lost once they are deleted.
 */
export const keepAnnotation = 'liberator.dev/keep';
