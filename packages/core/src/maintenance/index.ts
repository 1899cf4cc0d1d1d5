// Planned takeover: what a human asks for before a machine goes, with that human's credentials.

export { type MaintenanceMark, type MovingPod, maintenanceAnnotation } from '../marks/maintenance.ts';
export type { EvictionAnswer, MaintenanceCluster, NodeChange } from './cluster.ts';
export { type CordonOptions, cordon, type Uncordoned, uncordon } from './cordon.ts';
export { type Drained, type DrainOptions, drain, previewDrain } from './drain.ts';
export { MaintenanceError, type MaintenanceErrorCode } from './errors.ts';
export {
  connectMaintenance,
  type MaintenanceConnectOptions,
} from './kubernetes-cluster.ts';
export { drainingHoldMs } from './node-hold.ts';
export type { DrainAction, DrainRules, PlannedPod } from './plan.ts';
export type { DrainProgress, PodPhase, PodState } from './progress.ts';
