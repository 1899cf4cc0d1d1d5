// The shape of one case of the suite.
import type { Trial } from './trial.ts';

/** Plays in a scene of its own, which is disposed of afterwards. */
export type InScene = (play: (trial: Trial) => Promise<void>) => Promise<void>;

export interface FencerCase {
  /** A sentence about the driver. */
  readonly name: string;
  /** Rejects with what is wrong. */
  run(inScene: InScene): Promise<void>;
}
