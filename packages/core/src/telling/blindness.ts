// Tells of each node about which nothing can be decided: whoever waits for a takeover must learn why none comes.

import { neverBooted } from '../evidence/judgement.ts';
import { confirmWays } from '../marks/confirmed.ts';
import type { FleetNode } from '../policy/fleet-node.ts';
import type { NodeEvent } from '../takeover/cluster.ts';
import { withoutNumbers } from '../wording/numbers.ts';
import { whatHelps } from './what-helps.ts';

export interface BlindnessOptions {
  readonly now: () => number;
  readonly publish: (event: NodeEvent) => void;
}

/**
 * How long a node has to be undecided before it is told of. A leader that has just begun, or an API server
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
  /** Nodes that are silent while nothing is decided about them, by uid. */
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
    const { publish } = this.#options;
    const now = this.#options.now();
    const words = blind.map(withoutNumbers).join('; ');
    for (const node of undecided()) {
      // One that never booted waits for somebody's word although we see.
      if (!isSilent(node) || (blind.length === 0 && !isUnbooted(node))) continue;
      const { uid } = node.node.metadata;
      const silence = before.get(uid) ?? { since: now, told: undefined };
      this.#silences.set(uid, silence);
      if (now - silence.since < patienceMs || silence.told === words) continue;
      silence.told = words;
      publish(eventOf(node, blind));
    }
  }
}

/** Nothing tells whether it is a death, and nobody has vouched for it; see {@link neverBooted}. */
export function isUnbooted({ state, assessment }: Pick<FleetNode, 'state' | 'assessment'>): boolean {
  return neverBooted(state) && assessment?.health === 'suspect';
}

/** Something speaks against it. */
function isSilent({ assessment }: FleetNode): boolean {
  return assessment !== undefined && assessment.health !== 'alive';
}

function eventOf(node: FleetNode, blind: readonly string[]): NodeEvent {
  const { name, uid } = node.node.metadata;
  const confirm = confirmWays(name, node.deathId);
  const sentences = [
    `${node.assessment?.reasons.join(', ')}; nothing is decided about it${whyNot(blind)}`,
    whatHelps(node, confirm),
  ];
  return { type: 'Warning', reason: 'DeathUndecided', message: sentences.join(' '), node: { name, uid } };
}

function whyNot(blind: readonly string[]): string {
  return blind.length === 0
    ? ', and pods that are bound to its name wait. For a machine that is yet to come, nothing has to be done.'
    : `, because the leader does not see: ${blind.join('; ')}. After an outage this ends by itself, once nodes are heard again.`;
}
