// What a policy says about fencing: which fencers, in which order, for how long, and what must come of it.
import type { AcceptableProof } from './proof.ts';

/** One fencer in its place on the ladder. */
export interface Rung {
  /** The fencer's name. */
  readonly fencer: string;
  /**
   * For how long this fencer is asked before the next one has its turn, in milliseconds, over all leaders. Default 90,000; for one
   * that only waits for people, 300,000. Shorter gets to the next rung sooner; longer bears with devices that restart. What brakes
   * and busy devices take does not count.
   */
  readonly forMs?: number;
}

/** What a policy says about fencing. */
export interface FencingRules {
  /** The fencers, in the order in which they are asked. After the last one the first has its turn again. */
  readonly ladder?: readonly Rung[];
  /**
   * Names of fencers: a ladder of these, each with its default time.
   *
   * @deprecated Use {@link FencingRules.ladder}. Only one of the two may be given.
   */
  readonly drivers?: readonly string[];
  /**
   * `required`: nothing is released before a fencer has given a proof; the takeover waits. `optional`: a takeover goes
   * on without one, and a node that is cut off but alive may then write beside its replacement. Default `required`.
   */
  readonly proof: 'required' | 'optional';
  /** The proofs that count. Default: all of them. Another one ends its rung as a failure would. */
  readonly accept?: readonly AcceptableProof[];
  /**
   * Only with `proof: optional`: after how long without a proof the takeover goes on, in milliseconds, over all leaders. Until
   * then the ladder is climbed again and again. Default: once each rung has had its time; never where a human (`manual`) is on it. A human alone on the ladder is waited for.
   */
  readonly giveUpAfterMs?: number;
  /**
   * What becomes of a machine that a fencer switched off, once its pods are released. `leave-off` (default): nothing, for
   * whoever looks into what happened. `power-on`: it is switched on again.
   */
  readonly afterwards?: 'leave-off' | 'power-on';
  /**
   * Only with `proof: required` and a fencer that switches power: for how long the kubelet of a host that is up has to be
   * silent before the host is switched off, in milliseconds. Default: never, since its containers may be well.
   */
  readonly hungAfterMs?: number;
  /**
   * A takeover begins only while some fencer of the ladder has said within this time, in milliseconds, that it could fence this very
   * node. Nodes that fall silent are asked about at once, so that only a device which isn't ready holds; a human who vouches for the
   * death ends the hold. Default: nothing is held for that, since a fence that fails is seen soon enough, and the next rung has its turn.
   */
  readonly maxCheckAgeMs?: number;
}
