// What vouches for a machine that can't write any more, and on what that rests.

/**
 * What a fencer vouches for.
 *
 * - `powered-off`: the machine has no power.
 * - `rebooted`: it restarted, so nothing of before still runs.
 * - `instance-gone`: the virtual machine no longer exists.
 * - `isolated`: it is cut off from its storage, all of it or what the answer names.
 * - `self-fenced`: a watchdog of its own has reset it, since it can't have been fed any more.
 * - `confirmed-by-human`: somebody looked and says so.
 * - `none`: nothing was done and nothing is known.
 */
export type FenceProof =
  | 'powered-off'
  | 'rebooted'
  | 'instance-gone'
  | 'isolated'
  | 'self-fenced'
  | 'confirmed-by-human'
  | 'none';

/** The proofs that a policy may accept: all that vouch for something. */
export type AcceptableProof = Exclude<FenceProof, 'none'>;

/** All of them. */
export const acceptableProofs: readonly AcceptableProof[] = [
  'powered-off',
  'rebooted',
  'instance-gone',
  'isolated',
  'self-fenced',
  'confirmed-by-human',
];

/** What one witness said of the machine. It goes into the record of the takeover, its log and the status. */
export interface FenceEvidence {
  /** Who said it: a device, an API, a person. Without credentials. At most 256 characters are kept. */
  readonly witness: string;
  /** What was said, in the witness's own words where it has some: `PowerState Off`. At most 256 characters are kept. */
  readonly said: string;
  /** When we heard it, ISO 8601 by our wall clock. For people: nothing is decided by it. */
  readonly at: string;
}
