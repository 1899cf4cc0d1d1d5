// One node as the fleet knows it, with the policy that counts for it: what of a known node is public.
import type { Assessment, Health, NodeState } from '../evidence/judgement.ts';
import type { MaintenanceSight } from '../evidence/maintenance-sight.ts';
import type { Node } from '../kubernetes/objects.ts';
import type { Policy } from './policy.ts';

/** One node as the fleet knows it. A value: what becomes known later is in another one. */
export interface FleetNode {
  /** The Node as last seen, cut down to what is used. */
  readonly node: Node;
  /** What is remembered about it. */
  readonly state: NodeState;
  /** The policy that counts for it; undefined when none selects it, and then it is left alone. */
  readonly policy: Policy | undefined;
  /** Undefined when no policy selects the node: then nobody asks. */
  readonly assessment: Assessment | undefined;
  /** What the assessment says, or `returning` for a live node that was taken over and isn't trusted again yet. */
  readonly health: Health;
  /** The id that its death has, or would have now. */
  readonly deathId: string;
  /** Somebody's work on it, as long as it is cordoned for that. */
  readonly maintenance: MaintenanceSight | undefined;
}
