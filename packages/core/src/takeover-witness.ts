// What the world says while a takeover runs: whether its node shows life, whether a brake is on, and which policy counts.
import type { Assessment } from './evidence/judgement.ts';
import type { KnownNode } from './evidence/known-node.ts';
import { addressOwner } from './evidence/ledger.ts';
import { notedOf } from './evidence/noted-node.ts';
import { ownerOfNotedAddress } from './evidence/reused-address.ts';
import type { FenceTarget } from './fencing/fence-target.ts';
import { fencersIn } from './fencing/ladder.ts';
import { type Decision, decideByBrakes, holdReasons } from './policy/decision.ts';
import type { FleetNode } from './policy/fleet-node.ts';
import type { FleetFacts, NodeFacts } from './policy/guard.ts';
import { factsOf } from './policy/node-facts.ts';
import type { Policy } from './policy/policy.ts';
import { withMarks } from './takeover/follow.ts';
import { hasProof, occupiesNode, type TakeoverRecord } from './takeover/record.ts';
import { recordedPolicyOf } from './takeover/recorded-policy.ts';
import { newerRecordOf } from './takeover/records/newer-records.ts';
import {
  laterWith,
  noRecords,
  openTakeoverId,
  type Records,
  recordsOfNode,
  successorOf,
} from './takeover/records/records.ts';
import type { Neighbour, NodeNow, TakeoverWitness } from './takeover/witness.ts';
import { fleetFacts, policyFor, type World } from './world-state.ts';

export interface WorldWitnessOptions {
  /** As it is at the moment of the call. */
  readonly world: () => World;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export class WorldWitness implements TakeoverWitness {
  readonly #options: WorldWitnessOptions;

  constructor(options: WorldWitnessOptions) {
    this.#options = options;
  }

  nodeNow(record: TakeoverRecord): NodeNow {
    const node = this.#ofRecord(record);
    const policy = this.#policyOf(record, node);
    const seen = node ?? this.#lastSeen(record);
    return {
      gone: !this.#world.ledger.nodes.has(record.node.name),
      ...(seen && { noted: notedOf(seen.node) }),
      ...(policy && { policy: recordedPolicyOf(policy) }),
    };
  }

  lifeSign(record: TakeoverRecord): string | undefined {
    const node = this.#world.ledger.nodes.get(record.node.name);
    if (node === undefined) return undefined;
    if (node.node.metadata.uid !== record.node.uid) return 'a new Node has taken its name';
    const { assessment, state } = node;
    // A Lease that the cache doesn't show yet, as in a new leader's first moments, is no sign of anything; nor is one without a time.
    const renewTime = state.renewTime ?? '';
    if (renewTime !== '' && renewTime !== record.lastHeartbeat) return 'its Lease is renewed again';
    // Without a Lease, only what else its Node says tells that it has lived and died once more, when nobody looked.
    const leaseless = renewTime === '' && record.lastHeartbeat === '';
    if (leaseless && node.deathId !== record.deathId) return 'it has lived since';
    // Of one that hung, its host was up all the time, and Kubernetes called it Unknown.
    if (record.hung === true) return state.ready === 'True' ? 'it is Ready again' : undefined;
    // A human who vouches for the death outweighs a host that still answers.
    return assessment?.hostUp && assessment.evidence !== 'proven' ? assessment.reasons.join(', ') : undefined;
  }

  holds(record: TakeoverRecord): readonly string[] {
    const node = this.#ofRecord(record);
    if (this.#policyOf(record, node) === undefined) return ['no policy selects the node any more'];
    const decision = this.brakesOn(record);
    const reasons = decision === undefined ? [] : holdReasons(decision);
    // After a time of blindness the evidence starts from nothing, for a node under takeover as for any other.
    const missing = node === undefined ? undefined : this.#missingEvidence(record, node);
    return missing === undefined ? reasons : [...reasons, missing];
  }

  #missingEvidence(record: TakeoverRecord, { assessment, policy }: KnownNode<Policy>): string | undefined {
    if (assessment?.health === 'dead') return undefined;
    const missing = 'waiting for evidence that the node is still dead';
    if (record.hung !== true) return missing;
    const { hungSince, silentSince } = assessment ?? {};
    // It was stopped: what is left to be seen is that it has not come back.
    if (hasProof(record)) return silentSince === undefined && hungSince === undefined ? missing : undefined;
    const hungAfterMs = policy?.fencing.hungAfterMs;
    if (hungAfterMs === undefined)
      return 'its host is up, and the policy no longer has such hosts switched off';
    // A fencer may have begun already, so that its host is silent by now.
    const since = hungSince ?? silentSince;
    return since !== undefined && this.#options.now() - since >= hungAfterMs
      ? undefined
      : 'waiting for evidence that its kubelet still hangs';
  }

  /** What the guards that are brakes say of a takeover; undefined where no policy counts for its node, or nobody knows of it yet. */
  brakesOn(record: TakeoverRecord): Decision | undefined {
    const node = this.#ofRecord(record);
    const policy = this.#policyOf(record, node);
    if (policy === undefined) return undefined;
    const fleet = fleetFacts(this.#world, [record.node.name]);
    // Brakes outlive the Node: its machine may run, and whoever put them on meant the takeover.
    if (node === undefined) {
      const facts = factsOnRecord(this.#asLastSeen(record));
      return this.#brakes(facts, assessmentOf(record), policy, fleet, record.deathId);
    }
    const { assessment } = node;
    return assessment && this.#brakes(factsOf(node), assessment, policy, fleet, node.deathId);
  }

  /** What would hold a takeover of this node even if it died now: marks that people and other controllers put on it. */
  holdsOn(node: FleetNode): readonly string[] {
    const { policy, assessment } = node;
    if (policy === undefined || assessment === undefined) return [];
    const fleet = { ...fleetFacts(this.#world, []), blind: [], paused: undefined };
    return holdReasons(this.#brakes(factsOf(node), assessment, policy, fleet, node.deathId));
  }

  *neighbours({ node: { name } }: TakeoverRecord): Iterable<Neighbour> {
    const { ledger, term } = this.#world;
    for (const [other, known] of ledger.nodes) {
      if (other === name) continue;
      const { node, health, deathId, state } = known;
      const takenOver =
        health === 'dead' &&
        (term?.work.has(other) === true || openTakeoverId(this.#records, deathId) === undefined);
      const isHeard = health !== 'dead' && state.ready === 'True';
      yield { name: other, uid: node.metadata.uid, noted: notedOf(node), lives: !takenOver, isHeard };
    }
  }

  addressIsReused(record: TakeoverRecord): boolean {
    const { ledger } = this.#world;
    const seen = this.#lastSeen(record);
    if (seen !== undefined) return addressOwner(ledger, seen) !== undefined;
    return (
      record.noted !== undefined && ownerOfNotedAddress(record.noted, ledger.nodes.values()) !== undefined
    );
  }

  successorOf(record: TakeoverRecord): string | undefined {
    return successorOf(this.#records, record);
  }

  laterTakeoverWith(record: TakeoverRecord, podUid: string): string | undefined {
    return laterWith(this.#records, record, podUid);
  }

  get #world(): World {
    return this.#options.world();
  }

  get #records(): Records {
    return this.#world.term?.records ?? noRecords;
  }

  #brakes(
    facts: NodeFacts,
    assessment: Assessment,
    policy: Policy,
    fleet: FleetFacts,
    deathId: string,
  ): Decision {
    const { rules, term } = this.#world;
    const newerRecord = newerRecordOf(term?.setAside ?? [], facts.name, deathId);
    const node = newerRecord === undefined ? facts : { ...facts, newerRecord };
    return decideByBrakes({ node, assessment, policy, fleet, now: this.#options.now() }, rules.guards);
  }

  #ofRecord(record: TakeoverRecord): KnownNode<Policy> | undefined {
    const node = this.#world.ledger.nodes.get(record.node.name);
    return node?.node.metadata.uid === record.node.uid ? node : undefined;
  }

  /** The Node that went, or made way for another of its name. */
  #lastSeen({ node }: TakeoverRecord): KnownNode<Policy> | undefined {
    return this.#world.ledger.gone.get(node.uid);
  }

  /** By its labels, as they were noted when there is no Node. */
  #policyOf(record: TakeoverRecord, node: FleetNode | undefined): Policy | undefined {
    if (node !== undefined) return node.policy;
    return policyFor(this.#world, this.#asLastSeen(record).noted?.labels ?? {});
  }

  /** What was put on the Node after its record was last written counts as well, though the Node went meanwhile. */
  #asLastSeen(record: TakeoverRecord): TakeoverRecord {
    const seen = this.#lastSeen(record);
    return seen === undefined ? record : withMarks(record, notedOf(seen.node));
  }
}

/**
 * What is on record of a node that is gone. Maintenance and other controllers' taints ended with the Node: they were about taking
 * it away, or about work on it, and it is gone.
 */
function factsOnRecord({ node, noted }: TakeoverRecord): NodeFacts {
  return {
    name: node.name,
    uid: node.uid,
    labels: noted?.labels ?? {},
    annotations: noted?.annotations ?? {},
    taints: [],
  };
}

function assessmentOf({ evidence, reasons }: TakeoverRecord): Assessment {
  return {
    health: 'dead',
    evidence,
    reasons,
    hostUp: false,
    silentSince: undefined,
    nextCheckAt: undefined,
  };
}

/** What takeovers that run may have a fencer asked about at this moment. */
export function fencedNow({ ledger, term }: World): readonly {
  readonly target: Pick<FenceTarget, 'name' | 'uid' | 'deathId' | 'noted'>;
  readonly fencers: readonly string[];
}[] {
  if (term === undefined) return [];
  return [...term.work.keys()].flatMap((name) => {
    const record = recordsOfNode(term.records, name).find((one) => occupiesNode(one.record))?.record;
    if (record !== undefined) {
      const { node, deathId, policy } = record;
      const seen = ledger.nodes.get(name);
      const noted = record.noted ?? (seen && notedOf(seen.node));
      return noted === undefined
        ? []
        : [{ target: { name, uid: node.uid, deathId, noted }, fencers: policy.drivers }];
    }
    // Admitted, and not on record yet.
    const known = ledger.nodes.get(name);
    if (known?.policy === undefined) return [];
    const { uid } = known.node.metadata;
    const target = { name, uid, deathId: known.deathId, noted: notedOf(known.node) };
    return [{ target, fencers: fencersIn(known.policy.fencing) }];
  });
}
