// `@liberator/core/policy`: deciding about dead nodes. Pure: nothing here needs a cluster, or loads what talks to one.

export type { MaintenanceHold } from '../marks/maintenance.ts';
export { pausedAnnotation } from '../marks/paused.ts';
export { builtInGuards, type Decision, decide, holdReasons, type NamedVerdict } from './decision.ts';
export {
  type FenceCheckFacts,
  type FleetFacts,
  type Guard,
  type GuardInput,
  type GuardVerdict,
  hold,
  type NodeFacts,
  pass,
  type UndoneTakeovers,
  type UnprovenDeath,
  type ZoneFacts,
} from './guard.ts';
export { type LabelRequirement, type NodeSelector, selects } from './node-selector.ts';
export { type Budget, defaultBudget, type Policy } from './policy.ts';
