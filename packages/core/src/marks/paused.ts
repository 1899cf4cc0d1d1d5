// The mark by which people make Liberator stand still.

/** On a Node: pauses that node. On the election Lease: pauses everything. The value is the reason, for people. */
export const pausedAnnotation = 'liberator.dev/paused';
