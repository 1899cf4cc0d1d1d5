// What a fencer has to ask before it does any harm, and when it has to let go.

import type { Clock } from '../time/clock.ts';

/**
 * Why a fencer may not act.
 *
 * - `alive`: the node has shown life.
 * - `held`: a brake is on.
 * - `overtaken`: another Node has its name, or there is nothing left for which to fence it.
 * - `term`: leadership ended.
 * - `shared`: what would be switched feeds another node as well, which lives.
 * - `policy`: the node is under another policy by now, and is asked about anew under that one.
 * - `called-off`: this request was given up, and somebody else may be at work by now.
 * - `unknown`: the API server did not say, so nobody knows.
 */
export type FenceRefusalCode =
  | 'alive'
  | 'held'
  | 'overtaken'
  | 'term'
  | 'shared'
  | 'policy'
  | 'called-off'
  | 'unknown';

/** A fencer may not act. */
export interface FenceRefusal {
  /** Tells it from a {@link FencePermit} that was granted. */
  readonly outcome: 'refused';
  /** Why, for programs. */
  readonly code: FenceRefusalCode;
  /** Why, for people. */
  readonly detail: string;
}

/** Whether a fencer may act. */
export type FencePermit =
  | {
      readonly outcome: 'granted';
      /**
       * For how long, in milliseconds from now: what harms has to be sent before that, or the permit asked for anew. It covers one
       * request, not what may come of it.
       */
      readonly validForMs: number;
    }
  | FenceRefusal;

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
}

export function refused(code: FenceRefusalCode, detail: string): FenceRefusal {
  return { outcome: 'refused', code, detail };
}
