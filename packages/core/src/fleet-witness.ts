// What the caches say while a takeover runs: whether its node shows life, whether a brake is on, and which policy counts.
import { brakingReasons, type Decisions } from './decisions.ts';
import type { Fleet, FleetNode } from './evidence/fleet.ts';
import { notedOf } from './evidence/noted-node.ts';
import { ownerOfAddress, ownerOfNotedAddress } from './evidence/reused-address.ts';
import type { FleetFacts } from './policy/guard.ts';
import type { Policy } from './policy/policy.ts';
import { withMarks } from './takeover/follow.ts';
import type { TakeoverRecord } from './takeover/record.ts';
import { recordedPolicyOf } from './takeover/recorded-policy.ts';
import type { RecordBook } from './takeover/records/record-book.ts';
import type { NodeNow, TakeoverWitness } from './takeover/witness.ts';

export interface FleetWitnessOptions {
  readonly fleet: Pick<Fleet, 'nodes' | 'policyFor' | 'lastSeen'>;
  readonly fleetFacts: (dead: readonly string[]) => FleetFacts;
  readonly decisions: Pick<Decisions, 'decide' | 'decideOnRecord'>;
  readonly records: Pick<RecordBook, 'laterWith' | 'successorOf'>;
}

export class FleetWitness implements TakeoverWitness {
  readonly #options: FleetWitnessOptions;

  constructor(options: FleetWitnessOptions) {
    this.#options = options;
  }

  nodeNow(record: TakeoverRecord): NodeNow {
    const node = this.#ofRecord(record);
    const policy = this.#policyOf(record, node);
    const seen = node ?? this.#options.fleet.lastSeen(record.node.uid);
    return {
      gone: !this.#options.fleet.nodes.has(record.node.name),
      ...(seen && { noted: notedOf(seen.node) }),
      ...(policy && { policy: recordedPolicyOf(policy) }),
    };
  }

  lifeSign(record: TakeoverRecord): string | undefined {
    const node = this.#options.fleet.nodes.get(record.node.name);
    if (node === undefined) return undefined;
    if (node.node.metadata.uid !== record.node.uid) return 'a new Node has taken its name';
    const { assessment, state } = node;
    // A Lease that the cache doesn't show yet, as in a new leader's first moments, is no sign of anything; nor is one without a time.
    const renewTime = state.renewTime ?? '';
    if (renewTime !== '' && renewTime !== record.lastHeartbeat) return 'its Lease is renewed again';
    // Without a Lease, only what else its Node says tells that it has lived and died once more, when nobody looked.
    const leaseless = renewTime === '' && record.lastHeartbeat === '';
    if (leaseless && node.deathId !== record.deathId) return 'it has lived since';
    // A human who vouches for the death outweighs a host that still answers.
    return assessment?.hostUp && assessment.evidence !== 'proven' ? assessment.reasons.join(', ') : undefined;
  }

  holds(record: TakeoverRecord): readonly string[] {
    const { fleetFacts, decisions } = this.#options;
    const facts = fleetFacts([record.node.name]);
    const node = this.#ofRecord(record);
    const policy = this.#policyOf(record, node);
    if (policy === undefined) return ['no policy selects the node any more'];
    // Brakes outlive the Node: its machine may run, and whoever put them on meant the takeover.
    if (node === undefined)
      return brakingReasons(decisions.decideOnRecord(this.#asLastSeen(record), policy, facts));
    const reasons = brakingReasons(decisions.decide(node, facts));
    // After a time of blindness the evidence starts from nothing, for a node under takeover as for any other.
    return node.assessment?.health === 'dead'
      ? reasons
      : [...reasons, 'waiting for evidence that the node is still dead'];
  }

  addressIsReused({ node, noted }: TakeoverRecord): boolean {
    const { fleet } = this.#options;
    const seen = fleet.lastSeen(node.uid);
    const all = fleet.nodes.values();
    return seen === undefined
      ? noted !== undefined && ownerOfNotedAddress(noted, all) !== undefined
      : ownerOfAddress(seen, all) !== undefined;
  }

  successorOf(record: TakeoverRecord): string | undefined {
    return this.#options.records.successorOf(record);
  }

  laterTakeoverWith(record: TakeoverRecord, podUid: string): string | undefined {
    return this.#options.records.laterWith(record, podUid);
  }

  #ofRecord(record: TakeoverRecord): FleetNode | undefined {
    const node = this.#options.fleet.nodes.get(record.node.name);
    return node?.node.metadata.uid === record.node.uid ? node : undefined;
  }

  /** By its labels, as they were noted when there is no Node. */
  #policyOf(record: TakeoverRecord, node: FleetNode | undefined): Policy | undefined {
    if (node !== undefined) return node.policy;
    return this.#options.fleet.policyFor(this.#asLastSeen(record).noted?.labels ?? {});
  }

  /** What was put on the Node after its record was last written counts as well, though the Node went meanwhile. */
  #asLastSeen(record: TakeoverRecord): TakeoverRecord {
    const seen = this.#options.fleet.lastSeen(record.node.uid);
    return seen === undefined ? record : withMarks(record, notedOf(seen.node));
  }
}
