// A human's word that a machine is off: what it is about, and where it is written, with that human's credentials.

export type { VolumeReads } from '../pods/affected-pods.ts';
export type { Confirmation, ConfirmationCluster } from './cluster.ts';
export { type ConfirmationConnectOptions, connectConfirmation } from './kubernetes-cluster.ts';
export { previewRelease } from './preview.ts';
