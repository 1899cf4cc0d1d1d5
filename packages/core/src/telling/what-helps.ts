// What a human can do about a node that is held for want of evidence: not the same where its machine is known to be up.
import type { FleetNode } from '../policy/fleet-node.ts';

/** @param confirm - How they vouch that it is off, once it is. */
export function whatHelps({ assessment }: Pick<FleetNode, 'assessment'>, confirm: string): string {
  return assessment?.hostUp
    ? `Its machine is up, so what ran on it may still write. Restart its kubelet; or power the machine off, and only then: ${confirm}`
    : `Once you have made sure that it is off: ${confirm}`;
}
