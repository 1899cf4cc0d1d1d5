// How often fencers are asked whether they could fence, and which of them.
import type { Fencer } from '../fencing/fencer.ts';
import type { FenceProof } from '../fencing/proof.ts';

/** How fencers are asked whether they could fence the nodes that they are for. */
export interface DrillRules {
  /**
   * In which time each fencer is asked about each node once, in milliseconds; spread evenly over it. Default 3,600,000. Shorter finds a
   * dead device sooner; longer spares devices that think.
   */
  readonly everyMs: number;
  /**
   * How many checks are under way at the same time. Default 4. So many devices that take 20 s an answer are asked 12 times a minute:
   * in a large fleet more of them, or a longer interval, are needed to keep to it. Those that a takeover waits for are not counted.
   */
  readonly concurrency: number;
  /** How long one answer may take, in milliseconds. Default: what the fencer's own answers may take. */
  readonly timeoutMs?: number;
}

/** What counts where nobody says otherwise. */
export const defaultDrillRules: DrillRules = { everyMs: 3_600_000, concurrency: 4 };

/**
 * Whether there is something behind it that can be asked: one that only waits for people, or for nobody, has nothing. One that touches
 * no machine may still wait for something that must be there, as the guard of a watchdog.
 */
export function canBeDrilled({
  check,
  harmless,
  proofs = [],
}: Pick<Fencer, 'check' | 'harmless' | 'proofs'>): boolean {
  return check !== undefined && (harmless !== true || proofs.some((proof) => !ofPeople.has(proof)));
}

const ofPeople: ReadonlySet<FenceProof> = new Set(['confirmed-by-human', 'none']);
