// Takes nodes in again that were taken over and came back. No brake holds this: giving back what is healthy is no harm.
import type { Clock } from '../clock.ts';
import type { LeaderTerm } from '../election/leader-term.ts';
import type { LiveRead } from '../kubernetes/live-read.ts';
import type { Node } from '../kubernetes/objects.ts';
import type { NodeEvent, StoredRecord, TakeoverCluster, WriteOutcome } from './cluster.ts';
import type { Keepsake } from './keepsake.ts';
import type { TakeoverRecord } from './record.ts';
import {
  confirmedReturnedAnnotation,
  marksOf,
  nextReturnMove,
  type ReturningNode,
  type ReturnMove,
  type ReturnRules,
} from './return.ts';
import { spentWordsOn } from './spent-words.ts';
import { hasTaint, quarantineTaint, withoutTaints, withTaints } from './taints.ts';
import { counted } from './wording.ts';

/** What happened with a node that came back. */
export interface ReturnProgress {
  /** The record of its takeover, as it is now. */
  readonly record: TakeoverRecord;
  /** The Node's name. */
  readonly node: string;
  /** What was done about it. */
  readonly move: Exclude<ReturnMove['move'], 'wait'>;
  /** Why, for people. */
  readonly detail: string;
}

export interface ReturnerOptions {
  readonly cluster: TakeoverCluster;
  readonly clock: Clock;
  readonly rules: ReturnRules;
  readonly onProgress: (progress: ReturnProgress) => void;
  readonly publish: (event: NodeEvent) => void;
}

/** Of one term: a new leader makes a new one. */
export class Returner {
  readonly #options: ReturnerOptions;
  /** Uids of quarantined Nodes that somebody was told of in this term: Events fade, and a leader may die before its own. */
  readonly #toldOf = new Set<string>();

  constructor(options: ReturnerOptions) {
    this.#options = options;
  }

  /** Whether there is anything to do, as far as the caches show. */
  isDue(record: TakeoverRecord, returning: ReturningNode): boolean {
    return this.#nextMove(record, returning).move !== 'wait';
  }

  /**
   * Does at most one thing for a finished takeover whose node is there again, and returns the record as it is then.
   * Conditional on a live read, so what a stale cache suggested is dropped.
   */
  async attend(term: LeaderTerm, stored: StoredRecord, returning: ReturningNode): Promise<StoredRecord> {
    const { record } = stored;
    const live = await this.#options.cluster.readNode(term, record.node.name);
    if (live === undefined || live.object.metadata.uid !== returning.node.metadata.uid) return stored;

    const node = live.object;
    const next = this.#nextMove(record, { ...returning, node });
    if (next.move === 'wait') return stored;
    if ((await this.#perform(term, live, record, next)) !== 'written') return stored;
    const detail = next.move === 'restore' ? wordsFor(next.missing) : next.detail;
    const saved = await this.#save(term, stored, next.move, node, detail);
    if (next.move === 'quarantine') this.#toldOf.add(node.metadata.uid);
    this.#tell(saved.record, next.move, detail);
    return saved;
  }

  /** As {@link nextReturnMove} has it, but for a quarantine in which nothing is left to do. */
  #nextMove(record: TakeoverRecord, returning: ReturningNode): ReturnMove {
    const { clock, rules } = this.#options;
    const next = nextReturnMove(record, returning, rules, clock.now());
    if (next.move !== 'quarantine') return next;
    const { metadata, spec } = returning.node;
    const onRecord = record.return?.quarantined === true && record.return.uid === metadata.uid;
    const complete =
      hasTaint(spec?.taints, quarantineTaint(record.id)) && onRecord && this.#toldOf.has(metadata.uid);
    return complete ? { move: 'wait', detail: `${next.detail} and is in quarantine` } : next;
  }

  async #perform(
    term: LeaderTerm,
    live: LiveRead<Node>,
    record: TakeoverRecord,
    next: Exclude<ReturnMove, { move: 'wait' }>,
  ): Promise<WriteOutcome> {
    const { cluster } = this.#options;
    const taints = live.object.spec?.taints ?? [];
    if (next.move === 'restore') return cluster.addToNode(term, live, next.missing);
    if (next.move === 'quarantine') {
      const quarantine = quarantineTaint(record.id);
      if (hasTaint(taints, quarantine)) return 'written';
      return cluster.setTaints(term, live, withTaints(taints, [quarantine]));
    }
    const marks = marksOf(record, live.object);
    const spent = spentWordsOn(live.object);
    if (marks.length === 0 && spent.length === 0) return 'written';
    return cluster.clearTaints(term, live, withoutTaints(taints, marks), spent);
  }

  async #save(
    term: LeaderTerm,
    stored: StoredRecord,
    move: ReturnProgress['move'],
    node: Node,
    detail: string,
  ): Promise<StoredRecord> {
    const at = new Date(this.#options.clock.wallTime()).toISOString();
    // What was done to a Node that is gone by now says nothing about the one that is there.
    const before = stored.record.return?.uid === node.metadata.uid ? stored.record.return : undefined;
    const record: TakeoverRecord = {
      ...stored.record,
      epoch: term.epoch,
      leader: term.identity,
      return: {
        uid: node.metadata.uid,
        bootId: node.status?.nodeInfo?.bootID ?? '',
        seenAt: before?.seenAt ?? at,
        restored: before?.restored === true || move === 'restore',
        quarantined: before?.quarantined === true || move === 'quarantine',
        welcomed: move === 'welcome',
        ...(move === 'welcome' && { welcomedAt: at }),
        detail,
      },
    };
    const saved = await this.#options.cluster.updateRecord(term, stored, record);
    // Somebody deleted the record: what was done is remembered in this term, or it would be done and told at every look.
    if (saved === 'gone') return { ...stored, record };
    if (saved === 'conflict') {
      // What was done to the node is done, and doing it again changes nothing: look again at the next opportunity.
      return (await this.#options.cluster.readRecord(term, record.id)) ?? stored;
    }
    return saved;
  }

  #tell(record: TakeoverRecord, move: ReturnProgress['move'], detail: string): void {
    const { onProgress, publish } = this.#options;
    onProgress({ record, node: record.node.name, move, detail });
    const event = (type: NodeEvent['type'], reason: NodeEvent['reason'], message: string): void =>
      publish({
        type,
        reason,
        message: `${message} (takeover ${record.id})`,
        node: { name: record.node.name, uid: record.return?.uid ?? record.node.uid },
      });
    if (move === 'restore') event('Normal', 'NodeRestored', `put back ${detail}`);
    if (move === 'welcome') event('Normal', 'NodeReturned', `trusted again: ${detail}`);
    if (move === 'quarantine') {
      event(
        'Warning',
        'NodeQuarantined',
        `${detail}, so containers of before may still write. Restart the machine, or make sure that none does and run: ` +
          `kubectl annotate --overwrite node ${record.node.name} ${confirmedReturnedAnnotation}=${record.id}`,
      );
    }
  }
}

function wordsFor({ labels, annotations, taints, unschedulable }: Keepsake): string {
  const parts = [
    counted(Object.keys(labels).length, 'label'),
    counted(Object.keys(annotations).length, 'annotation'),
    counted(taints.length, 'taint'),
  ];
  return unschedulable ? `${parts.join(', ')} and the cordon` : parts.join(', ');
}
