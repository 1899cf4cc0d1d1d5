// What any leader tells of nodes, whether it acts or only observes: decisions, silence while blind, and words that count for nothing.
import type { DecisionChange } from './controller-events.ts';
import type { FleetNode } from './policy/fleet-node.ts';
import type { NodeEvent } from './takeover/cluster.ts';
import { noRecords, recordsOfNode } from './takeover/records/records.ts';
import { Blindness } from './telling/blindness.ts';
import {
  type ConfirmationChange,
  Confirmations,
  type IgnoredConfirmation,
  ignoredConfirmation,
} from './telling/confirmations.ts';
import { heldEvent } from './telling/held.ts';
import type { Intent, World } from './world-state.ts';

export interface LeadersWordsOptions {
  /** As it is at the moment of the call. */
  readonly world: () => World;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly publish: (event: NodeEvent) => void;
  /** Whether something would have to be decided about this node, were we not blind. */
  readonly isUndecided: (node: FleetNode) => boolean;
  readonly onDecision: (change: DecisionChange) => void;
  /** What a human said of another death. */
  readonly onIgnoredConfirmation: (change: ConfirmationChange) => void;
}

export class LeadersWords {
  readonly #options: LeadersWordsOptions;
  readonly #blindness: Blindness;
  readonly #confirmations: Confirmations;

  constructor(options: LeadersWordsOptions) {
    this.#options = options;
    const { now, publish, onIgnoredConfirmation: onIgnored } = options;
    this.#blindness = new Blindness({ now, publish });
    this.#confirmations = new Confirmations({ publish, onIgnored });
  }

  decided({ node, decision }: Extract<Intent, { kind: 'decided' }>): void {
    const { name, uid } = node.node.metadata;
    this.#options.onDecision({ node: name, uid, deathId: node.deathId, decision });
    const event = heldEvent(node, decision);
    if (event !== undefined) this.#options.publish(event);
  }

  /** To be called at each look. Goes through none but those that are not well, and those on which somebody said something. */
  look(blind: readonly string[]): void {
    const { nodes, unwell, confirmed } = this.#options.world().ledger;
    const those = (names: Iterable<string>): readonly FleetNode[] =>
      [...names].flatMap((name) => nodes.get(name) ?? []);
    this.#blindness.look(blind, () => those(unwell).filter(this.#options.isUndecided));
    this.#confirmations.look(those(confirmed).map((node) => [node, this.ignoredConfirmationOn(node)]));
  }

  /** A human's word on this node from which nothing follows. */
  ignoredConfirmationOn(node: FleetNode): IgnoredConfirmation | undefined {
    const records = recordsOfNode(this.#options.world().term?.records ?? noRecords, node.node.metadata.name);
    return ignoredConfirmation(
      node,
      records.map(({ record }) => record),
    );
  }
}
