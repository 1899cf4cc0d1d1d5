// The shape of one case of the suite.
import type { Trial } from './trial.ts';

/** Plays in a scene of its own, which is disposed of afterwards. */
type InScene = (play: (trial: Trial) => Promise<void>) => Promise<void>;

export interface FencerCase {
  /** A sentence about the driver. */
  readonly name: string;
  /** Rejects with what is wrong. */
  run(inScene: InScene): Promise<void>;
}

/** Plays the same for each of these beside each other, to its end even if one is done for. */
export async function inEach<T>(all: readonly T[], play: (one: T) => Promise<void>): Promise<void> {
  const failed = (await Promise.allSettled(all.map(play))).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}
