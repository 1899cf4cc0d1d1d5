// The election record as the field writes it, and the port through which the elector reads and writes it.

/** The fields of a `coordination.k8s.io/v1` Lease that elections use, with the meaning client-go gives them. */
export interface LeaseRecord {
  /** Empty: nobody leads, anybody may take it at once. */
  readonly holderIdentity: string;
  /** How long candidates must have seen no change before they may take over from this holder. */
  readonly leaseDurationSeconds: number;
  /** The epoch: grows with every term. */
  readonly leaseTransitions: number;
  /** MicroTime. */
  readonly acquireTime: string;
  /** MicroTime. */
  readonly renewTime: string;
}

/** A record together with what makes the next write to it conditional. */
export interface LeaseSnapshot {
  /** The record as read or written. */
  readonly record: LeaseRecord;
  /** Of the Lease: a Lease made anew is another one. */
  readonly uid: string;
  /** Of the Lease: what the next write is conditional on. */
  readonly resourceVersion: string;
}

/** What a conditional write of the Lease came to. A network failure is thrown instead: its outcome is unknown. */
export type LeaseWriteResult =
  | { readonly outcome: 'written'; readonly snapshot: LeaseSnapshot }
  /** Somebody else wrote, created or deleted it in between: read it again. */
  | { readonly outcome: 'conflict' };

/** How long one attempt may take and what may cancel it. */
export interface LeaseRequestOptions {
  /** For the whole attempt, in milliseconds. */
  readonly timeoutMs: number;
  /** Aborts when the answer is no longer of use. */
  readonly signal: AbortSignal;
}

/**
 * One Lease, reached through a connection of its own so that bulk traffic can't starve its renewal. These are the only
 * writes that need no term: they are what makes one.
 */
export interface LeaseStore {
  /** Undefined when there is no such Lease. */
  read(options: LeaseRequestOptions): Promise<LeaseSnapshot | undefined>;
  /** Conflict when there is one already. Bears `annotations` from its first moment on. */
  create(
    record: LeaseRecord,
    options: LeaseRequestOptions,
    annotations?: Readonly<Record<string, string>>,
  ): Promise<LeaseWriteResult>;
  /** Conditional on the uid and the resourceVersion of `seen`. */
  update(seen: LeaseSnapshot, record: LeaseRecord, options: LeaseRequestOptions): Promise<LeaseWriteResult>;
}

/**
 * `2026-01-31T12:00:00.123000Z`: Kubernetes wants exactly six fraction digits, a JavaScript Date prints three. The other
 * three are free, and `count` fills them (modulo 1000).
 */
export function microTime(wallTime: number, count = 0): string {
  const micros = String(count % 1000).padStart(3, '0');
  return new Date(wallTime).toISOString().replace('Z', `${micros}Z`);
}

export function sameRecord(a: LeaseRecord, b: LeaseRecord): boolean {
  return (
    a.holderIdentity === b.holderIdentity &&
    a.renewTime === b.renewTime &&
    a.acquireTime === b.acquireTime &&
    // Even what is no number is the same as itself.
    Object.is(a.leaseTransitions, b.leaseTransitions) &&
    Object.is(a.leaseDurationSeconds, b.leaseDurationSeconds)
  );
}
