// Whether a fencer may act at this moment, and why not.

/**
 * Why a fencer may not act.
 *
 * - `alive`: the node has shown life.
 * - `held`: a brake is on.
 * - `overtaken`: another Node has its name, or there is nothing left for which to fence it.
 * - `term`: leadership ended.
 * - `shared`: another node would be hit as well, which lives: it is fed by what would be switched, or is the same machine under another name.
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

export function refused(code: FenceRefusalCode, detail: string): FenceRefusal {
  return { outcome: 'refused', code, detail };
}
