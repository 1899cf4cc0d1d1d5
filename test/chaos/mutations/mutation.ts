// The shape of a deliberate defect: what it breaks, how it is built in, and which invariant has to notice.
import type { Defect } from '../world/replica.ts';
import type { Scenario } from '../world/scenario.ts';

export interface Mutation {
  readonly name: string;
  /** What is wrong, as a sentence about the defective program. */
  readonly sentence: string;
  /** Invariants that may be the first to see it. */
  readonly seenBy: readonly string[];
  /** The seed that is tried first, and those after it: one by which it was seen before. Default: the first of all. */
  readonly from?: number;
  readonly defect: Defect;
  /** What of the pending it needs beside those invariants. */
  readonly on?: readonly string[];
  /** Sets the stage for a defect that shows only in a rare situation. */
  readonly stage?: (scenario: Scenario) => Scenario;
}
