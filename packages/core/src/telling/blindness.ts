// Tells of each node that is silent while nothing can be decided: whoever waits for a takeover must learn why none comes.
import { confirmWays } from '../fencing/manual.ts';
import type { FleetNode } from '../fleet/fleet.ts';
import type { NodeEvent } from '../takeover/cluster.ts';
import { withoutNumbers } from '../takeover/wording.ts';

export interface BlindnessOptions {
  readonly now: () => number;
  readonly publish: (event: NodeEvent) => void;
}

/** A leader that has just begun, or an API server that comes back, is blind for a moment: nobody has to be told of that. */
const patienceMs = 15_000;

export class Blindness {
  readonly #options: BlindnessOptions;
  #since: number | undefined;
  /** In which words the reasons were told of each node, by uid. */
  readonly #told = new Map<string, string>();

  constructor(options: BlindnessOptions) {
    this.#options = options;
  }

  /**
   * To be called at each look.
   *
   * @param blind why nothing may be decided; empty when we see
   * @param undecided nodes about which something would have to be decided if they stay as they are
   */
  look(blind: readonly string[], undecided: () => Iterable<FleetNode>): void {
    const { now } = this.#options;
    if (blind.length === 0) {
      this.#since = undefined;
      this.#told.clear();
      return;
    }
    this.#since ??= now();
    if (now() - this.#since < patienceMs) return;
    const words = blind.map(withoutNumbers).join('; ');
    for (const node of undecided()) {
      const { uid } = node.node.metadata;
      if (!isSilent(node) || this.#told.get(uid) === words) continue;
      this.#told.set(uid, words);
      this.#options.publish(eventOf(node, blind));
    }
  }
}

/** Something speaks against it. */
export function isSilent({ assessment }: FleetNode): boolean {
  return assessment !== undefined && assessment.health !== 'alive';
}

function eventOf({ node, assessment, deathId }: FleetNode, blind: readonly string[]): NodeEvent {
  const { name, uid } = node.metadata;
  const sentences = [
    `${assessment?.reasons.join(', ')}; nothing is decided about it, because the leader does not see: ${blind.join('; ')}.`,
    'After an outage this ends by itself, once nodes are heard again.',
    // A host that was heard is up: there is nothing to be confirmed.
    ...(assessment?.hostUp
      ? []
      : [`If this machine is off for certain, say so: ${confirmWays(name, deathId)}`]),
  ];
  return { type: 'Warning', reason: 'DeathUndecided', message: sentences.join(' '), node: { name, uid } };
}
