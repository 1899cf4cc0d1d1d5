// One node as the fleet knows it, with the policy that counts for it.
import type { FleetNode as KnownFleetNode } from '../evidence/known-node.ts';
import type { Policy } from './policy.ts';

/** One node as the fleet knows it, with the policy that counts for it. A value: what becomes known later is in another one. */
export type FleetNode = KnownFleetNode<Policy>;
