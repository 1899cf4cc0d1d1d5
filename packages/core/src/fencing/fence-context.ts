// What a fencer has to ask before it does any harm, and when it has to let go.

import type { Clock } from '../time/clock.ts';
import type { GuardedResources } from './guarded-resources.ts';
import type { FencePermit } from './permit.ts';

export { type FencePermit, type FenceRefusal, type FenceRefusalCode, refused } from './permit.ts';

/** What a fencer gets to work with. */
export interface FenceContext {
  /** For every wait, and for what the evidence says of time. */
  readonly clock: Clock;
  /**
   * Aborts when the term ends, and when the answer has taken too long: what is still under way then has to be called off,
   * since nobody waits for it any more. Child processes count.
   */
  readonly signal: AbortSignal;
  /**
   * Must be asked right before *each* request that harms the machine, and its answer kept to: what was true when the fencer was
   * called may not be true any more. It reads the node's Lease and its Node anew and asks every brake and the term, so it takes
   * two requests to the API server. Nothing that only looks needs it.
   *
   * A fencer that was refused says so as any other failure; whoever called it knows why, and won't hold it against the device.
   * Never rejects.
   */
  permit(): Promise<FencePermit>;
  /**
   * The only way for a fencer to write to Kubernetes. It asks {@link FenceContext.permit} by itself before each write. Absent where there is
   * no API server that could be written to, such as in a simulation.
   */
  readonly resources?: GuardedResources;
}
