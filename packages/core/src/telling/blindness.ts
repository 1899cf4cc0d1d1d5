// Tells of each node that is silent while nothing can be decided: whoever waits for a takeover must learn why none comes.
import { confirmWays } from '../fencing/manual.ts';
import type { FleetNode } from '../fleet/fleet.ts';
import type { NodeEvent } from '../takeover/cluster.ts';
import { withoutNumbers } from '../takeover/wording.ts';
import { whatHelps } from './what-helps.ts';

export interface BlindnessOptions {
  readonly now: () => number;
  readonly publish: (event: NodeEvent) => void;
}

/**
 * How long a node has to be silent beside our blindness before it is told of. A leader that has just begun, or an API server
 * that comes back, is blind for a moment only; and its host has to be given the time to answer.
 */
const patienceMs = 15_000;

interface Silence {
  readonly since: number;
  /** In which words the reasons of the blindness were told; undefined before the first time. */
  told: string | undefined;
}

export class Blindness {
  readonly #options: BlindnessOptions;
  /** Nodes that are silent while we are blind, by uid. */
  #silences = new Map<string, Silence>();

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
    const before = this.#silences;
    this.#silences = new Map();
    if (blind.length === 0) return;
    const { publish } = this.#options;
    const now = this.#options.now();
    const words = blind.map(withoutNumbers).join('; ');
    for (const node of undecided()) {
      if (!isSilent(node)) continue;
      const { uid } = node.node.metadata;
      const silence = before.get(uid) ?? { since: now, told: undefined };
      this.#silences.set(uid, silence);
      if (now - silence.since < patienceMs || silence.told === words) continue;
      silence.told = words;
      publish(eventOf(node, blind));
    }
  }
}

/** Something speaks against it. */
function isSilent({ assessment }: FleetNode): boolean {
  return assessment !== undefined && assessment.health !== 'alive';
}

function eventOf({ node, assessment, deathId }: FleetNode, blind: readonly string[]): NodeEvent {
  const { name, uid } = node.metadata;
  const sentences = [
    `${assessment?.reasons.join(', ')}; nothing is decided about it, because the leader does not see: ${blind.join('; ')}.`,
    'After an outage this ends by itself, once nodes are heard again.',
    whatHelps({ assessment }, confirmWays(name, deathId)),
  ];
  return { type: 'Warning', reason: 'DeathUndecided', message: sentences.join(' '), node: { name, uid } };
}
