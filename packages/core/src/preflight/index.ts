// What can be known before anything has died: may we do what a takeover needs, and could a takeover help?
export {
  excessIn,
  type GrantedRules,
  grantedRules,
  type ResourceRule,
  whoAmI,
} from '../kubernetes/access-review.ts';
export {
  type AskOptions,
  describePermission,
  type MissingPermissionsOptions,
  missingPermissions,
  neededPermissions,
  type Permission,
} from '../kubernetes/permissions.ts';
export { serverVersion, tryElectionLease } from '../kubernetes/server-probe.ts';
export { type BarePod, barePods } from './bare-pods.ts';
export { type ClusterSnapshot, type TakeoverProspect, takeoverProspects } from './prospects.ts';
