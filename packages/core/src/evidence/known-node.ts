// One node as a replica knows it: what was seen of it, what was heard, and what that means.
import type { Node } from '../kubernetes/objects.ts';
import { deathIdOf, heartbeatWithoutLease } from './death-id.ts';
import type { Hearing } from './hearing.ts';
import type { Assessment, Health, NodeState } from './judgement.ts';
import type { MaintenanceSight } from './maintenance-sight.ts';
import type { Detection } from './rules.ts';

/** What a policy has to say about the nodes that it selects, as far as evidence goes. */
export interface Watched {
  /** How death is told for these nodes. */
  readonly detection: Detection;
}

/** What a {@link KnownNode} is made of. */
export interface NodeFields<P extends Watched> {
  /** The Node as last seen, cut down to what is used. */
  readonly node: Node;
  /** What is remembered about it. */
  readonly state: NodeState;
  /** What was heard of it, for the question whether we see. */
  readonly hearing: Hearing;
  /** The policy that counts for it; undefined when none selects it, and then it is left alone. */
  readonly policy: P | undefined;
  /** Undefined when no policy selects the node: then nobody asks. */
  readonly assessment: Assessment | undefined;
  /** What the assessment says, or `returning` for a live node that was taken over and isn't trusted again yet. */
  readonly health: Health;
  /** Somebody's work on it, as long as it is cordoned for that. */
  readonly maintenance: MaintenanceSight | undefined;
  /** The `renewTime` of the Lease of its name as it is there now; undefined when there is none. */
  readonly lease: string | undefined;
  /** A probe of ours has heard its host at least once. */
  readonly hostHeard: boolean;
  /** When it will be looked at again though nothing happens; `Infinity` when nobody has to. */
  readonly checkAt: number;
}

/** A value: it is replaced, never changed. Only the id of its death is found when somebody asks, since that costs a hash. */
export class KnownNode<P extends Watched = Watched> implements NodeFields<P> {
  readonly node: Node;
  readonly state: NodeState;
  readonly hearing: Hearing;
  readonly policy: P | undefined;
  readonly assessment: Assessment | undefined;
  readonly health: Health;
  readonly maintenance: MaintenanceSight | undefined;
  readonly lease: string | undefined;
  readonly hostHeard: boolean;
  readonly checkAt: number;
  #deathId: string | undefined;

  constructor(fields: NodeFields<P>) {
    this.node = fields.node;
    this.state = fields.state;
    this.hearing = fields.hearing;
    this.policy = fields.policy;
    this.assessment = fields.assessment;
    this.health = fields.health;
    this.maintenance = fields.maintenance;
    this.lease = fields.lease;
    this.hostHeard = fields.hostHeard;
    this.checkAt = fields.checkAt;
  }

  /** The id that its death has, or would have now. */
  get deathId(): string {
    const { node, state } = this;
    this.#deathId ??= deathIdOf(node.metadata.uid, state.renewTime ?? heartbeatWithoutLease(node));
    return this.#deathId;
  }

  /** The same with something else in it. */
  with(change: Partial<NodeFields<P>>): KnownNode<P> {
    const next = new KnownNode<P>({ ...this, ...change });
    // Its death is named by these alone.
    if (next.node === this.node && next.state.renewTime === this.state.renewTime)
      next.#deathId = this.#deathId;
    return next;
  }
}
