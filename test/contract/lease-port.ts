// What the port through which an election reads and writes its Lease is tested on.
import type { LeaseStore } from '@liberator/core';

/** One Lease that isn't there yet, and a store on it. */
export interface LeasePort {
  readonly store: LeaseStore;
  pass(ms: number): Promise<void>;
  close(): Promise<void>;

  // What others do.

  /** A human's annotation. */
  touch(): void;
  remove(): void;
  /** The server hears nothing from now on, and nobody hears from it. */
  hang(): void;
  /** The answer to the next write gets lost after the server has done it. */
  loseNextAnswer(): void;
  /** All is well again. */
  hear(): void;
}
