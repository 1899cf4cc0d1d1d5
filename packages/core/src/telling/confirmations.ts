// A human's word that names another death confirms nothing, and whoever gave it has to be told at once.

import { confirmedDeadAnnotation, confirmWays } from '../marks/confirmed.ts';
import type { FleetNode } from '../policy/fleet-node.ts';
import type { NodeEvent } from '../takeover/cluster.ts';
import type { TakeoverRecord } from '../takeover/record.ts';

/** A confirmation on a Node from which nothing follows. */
export interface IgnoredConfirmation {
  /** The death that it names. */
  readonly names: string;
  /** `other-death`: the node's death of now is another one. `alive`: there is nothing to confirm. */
  readonly because: 'other-death' | 'alive';
  /** What it would have to name; absent for a node that is alive. */
  readonly expected?: string;
}

/** A confirmation is ignored. */
export interface ConfirmationChange extends IgnoredConfirmation {
  /** The Node's name. */
  readonly node: string;
  /** The Node's uid. */
  readonly uid: string;
}

/**
 * Undefined where there is none, or where it counts.
 *
 * @param records every takeover of this node that is on record
 */
export function ignoredConfirmation(
  { node, assessment, deathId }: FleetNode,
  records: readonly TakeoverRecord[],
): IgnoredConfirmation | undefined {
  const names = node.metadata.annotations?.[confirmedDeadAnnotation] ?? '';
  if (names === '' || assessment === undefined || names === deathId) return undefined;
  const running = records.find(({ result }) => result === undefined);
  if (running?.deathId === names) return undefined;
  if (assessment.health !== 'alive' || running !== undefined) {
    return { names, because: 'other-death', expected: running?.deathId ?? deathId };
  }
  // It did its work, and goes when the node has returned.
  if (records.some((record) => record.deathId === names)) return undefined;
  return { names, because: 'alive' };
}

export interface ConfirmationsOptions {
  readonly publish: (event: NodeEvent) => void;
  readonly onIgnored: (change: ConfirmationChange) => void;
}

export class Confirmations {
  readonly #options: ConfirmationsOptions;
  /** What was told of each Node, by uid. */
  readonly #told = new Map<string, string>();

  constructor(options: ConfirmationsOptions) {
    this.#options = options;
  }

  /** To be called at each look, with every Node that bears a confirmation. */
  look(marked: readonly (readonly [FleetNode, IgnoredConfirmation | undefined])[]): void {
    const present = new Set(marked.map(([{ node }]) => node.metadata.uid));
    for (const uid of this.#told.keys()) if (!present.has(uid)) this.#told.delete(uid);
    for (const [{ node }, ignored] of marked) {
      const { name, uid } = node.metadata;
      const words = ignored === undefined ? '' : [ignored.names, ignored.because, ignored.expected].join('/');
      if ((this.#told.get(uid) ?? '') === words) continue;
      this.#told.set(uid, words);
      if (ignored === undefined) continue;
      this.#options.onIgnored({ node: name, uid, ...ignored });
      const message = `${whyIgnored(ignored)} ${wayOut(name, ignored)}`;
      this.#options.publish({ type: 'Warning', reason: 'ConfirmationIgnored', message, node: { name, uid } });
    }
  }
}

/** A sentence for people. */
export function whyIgnored({ names, because }: IgnoredConfirmation): string {
  const what = `${confirmedDeadAnnotation} on it names ${names}`;
  return because === 'alive'
    ? `${what}, but it is alive: nothing follows from that.`
    : `${what}, which is not its death of now: nothing follows from that.`;
}

function wayOut(node: string, { expected }: IgnoredConfirmation): string {
  return expected === undefined
    ? `Take it off: kubectl annotate node ${node} ${confirmedDeadAnnotation}-`
    : `Once you have made sure that it is off: ${confirmWays(node, expected)}`;
}
