// What the caches say while a takeover runs: whether its node shows life, and whether a brake is on.

import { brakingReasons, type DecideOn } from './decisions.ts';
import type { Fleet, FleetNode } from './fleet/fleet.ts';
import type { FleetFacts } from './policy/guard.ts';
import type { TakeoverWitness } from './takeover/executor.ts';
import type { TakeoverRecord } from './takeover/record.ts';

export interface FleetWitnessOptions {
  readonly fleet: Pick<Fleet, 'nodes'>;
  readonly fleetFacts: (dead: readonly string[]) => FleetFacts;
  readonly decide: DecideOn;
}

export class FleetWitness implements TakeoverWitness {
  readonly #options: FleetWitnessOptions;

  constructor(options: FleetWitnessOptions) {
    this.#options = options;
  }

  lifeSign(record: TakeoverRecord): string | undefined {
    const node = this.#options.fleet.nodes.get(record.node.name);
    if (node === undefined) return undefined;
    if (node.node.metadata.uid !== record.node.uid) return 'a new Node has taken its name';
    const { assessment, state } = node;
    // A Lease that the cache doesn't show yet, as in a new leader's first moments, is no sign of anything.
    const renewed = state.renewTime !== undefined && state.renewTime !== record.lastHeartbeat;
    if (renewed) return 'its Lease is renewed again';
    // A human who vouches for the death outweighs a host that still answers.
    return assessment?.hostUp && assessment.evidence !== 'proven' ? assessment.reasons.join(', ') : undefined;
  }

  holds(record: TakeoverRecord): readonly string[] {
    const { fleetFacts, decide } = this.#options;
    const node = this.#ofRecord(record);
    if (node === undefined) return fleetFacts([]).blind;
    const reasons = [...brakingReasons(decide(node, fleetFacts([record.node.name])))];
    // After a time of blindness the evidence starts from nothing, for a node under takeover as for any other.
    if (node.policy === undefined) reasons.push('no policy selects the node any more');
    else if (node.assessment?.health !== 'dead')
      reasons.push('waiting for evidence that the node is still dead');
    return reasons;
  }

  #ofRecord(record: TakeoverRecord): FleetNode | undefined {
    const node = this.#options.fleet.nodes.get(record.node.name);
    return node?.node.metadata.uid === record.node.uid ? node : undefined;
  }
}
