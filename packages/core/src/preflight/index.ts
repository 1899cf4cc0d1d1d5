// What can be known before anything has died: may we do what a takeover needs, and could a takeover help?
export {
  excessIn,
  type GrantedRules,
  grantedRules,
  type ResourceRule,
  whoAmI,
} from './access-review.ts';
export { type BarePod, barePods } from './bare-pods.ts';
export type { InhabitedCluster, PodFate } from './deaths/evacuation.ts';
export type {
  SimulatedEvent,
  SimulatedHold,
  SimulatedMoment,
  SimulatedNode,
  SimulatedOutcome,
} from './deaths/moment.ts';
export type {
  FencerAssumption,
  SimulateDeathsOptions,
  SimulatedCluster,
  SimulatedDeaths,
  SimulatedLeader,
} from './deaths/simulation.ts';
export type { WayToDie } from './deaths/virtual-fleet.ts';
export type { ClusterSnapshot } from './occupancy.ts';
export {
  type AskOptions,
  describePermission,
  type MissingPermissionsOptions,
  missingPermissions,
  neededPermissions,
  networkFencePermissions,
  type Permission,
} from './permissions.ts';
export { type TakeoverProspect, takeoverProspects } from './prospects.ts';
export { serverVersion, tryElectionLease } from './server-probe.ts';
