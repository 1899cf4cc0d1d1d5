// Takes nodes in again that were taken over and came back. No brake holds this: giving back what is healthy is no harm.

import { type FencePermit, refused } from '../fencing/fence-context.ts';
import { permitSince } from '../fencing/look-permit.ts';
import type { Node } from '../kubernetes/objects.ts';
import { confirmedReturnedAnnotation } from '../marks/confirmed.ts';
import {
  epochAnnotation,
  hasTaint,
  outOfServiceTaint,
  quarantineTaint,
  withoutTaints,
  withTaints,
} from '../marks/taints.ts';
import { Attempts } from '../takeover/attempts.ts';
import type { NodeEvent, StoredRecord, TakeoverCluster, WriteOutcome } from '../takeover/cluster.ts';
import type { Keepsake } from '../takeover/keepsake.ts';
import { judgeOf, marksOf, type NodePast } from '../takeover/node-past.ts';
import type { TakeoverRecord } from '../takeover/record.ts';
import type { StorageReturn } from '../takeover/storage-back.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import type { LiveRead } from '../term/live-read.ts';
import type { Clock } from '../time/clock.ts';
import { counted } from '../wording/numbers.ts';
import {
  isProvenReturn,
  nextReturnMove,
  nextSweepMove,
  type ReturningNode,
  type ReturnMove,
  type ReturnRules,
} from './moves.ts';
import { spentWordsOn } from './spent-words.ts';

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
  /** By whom storage is given back that a fencer has cut off. Default: no fencer cuts any off. */
  readonly storage?: StorageReturn;
}

/** The one thing to do next, and for which takeover. */
interface ReturnStep {
  readonly stored: StoredRecord;
  readonly next: Exclude<ReturnMove, { move: 'wait' }>;
  /** Whose marks go when the node is let in. */
  readonly whose: readonly StoredRecord[];
}

/** How often a record that others write to is tried in one go. */
const saveAttempts = 3;

/** Of one term: a new leader makes a new one. */
export class Returner {
  readonly #options: ReturnerOptions;
  /** Uids of quarantined Nodes that somebody was told of in this term: Events fade, and a leader may die before its own. */
  readonly #toldOf = new Set<string>();
  /** When storage was asked for, by takeover: a device that refuses is not helped by being asked. */
  readonly #storageTries = new Attempts();

  constructor(options: ReturnerOptions) {
    this.#options = options;
  }

  /** Whether there is anything to do, as far as the caches show. */
  isDue(past: NodePast, returning: ReturningNode): boolean {
    return this.#nextStep(past, returning) !== undefined;
  }

  /**
   * Does at most one thing for a node that is there again, and returns the records that changed by it. Conditional on a
   * live read, so what a stale cache suggested is dropped.
   */
  async attend(term: LeaderTerm, past: NodePast, returning: ReturningNode): Promise<readonly StoredRecord[]> {
    const live = await this.#options.cluster.readNode(term, returning.node.metadata.name);
    if (live === undefined || live.object.metadata.uid !== returning.node.metadata.uid) return [];

    const node = live.object;
    const step = this.#nextStep(past, { ...returning, node });
    if (step === undefined) return [];
    const { stored, next, whose } = step;
    if (next.move === 'give-storage-back') return this.#giveStorageBack(term, past, returning, stored, next);
    if ((await this.#perform(term, live, past, step)) !== 'written') return [];
    const detail = next.move === 'restore' ? wordsFor(next.missing) : next.detail;
    const letsGo = next.move === 'admit' || next.move === 'welcome' || next.move === 'replace';
    const others = letsGo ? whose.filter((one) => one !== stored && owesMark(one.record, node)) : [];
    const saved = [];
    for (const one of others) saved.push((await this.#save(term, one, withoutMark)).stored);
    const { stored: last, noted } = await this.#save(term, stored, (record) =>
      this.#noted(letsGo ? withoutMark(record) : record, next.move, node, detail),
    );
    // Told once it is on record, as every step is: the next look does it again otherwise.
    if (noted) {
      if (next.move === 'quarantine') this.#toldOf.add(node.metadata.uid);
      this.#tell(last.record, next.move, detail, node);
    }
    return [...saved, last];
  }

  /** What came to nothing first: what it left on the node is in everybody's way. */
  #nextStep(past: NodePast, returning: ReturningNode): ReturnStep | undefined {
    if (past.busy) return undefined;
    for (const stored of past.nothing) {
      const next = nextSweepMove(stored.record, returning.node);
      if (next.move !== 'wait') return { stored, next, whose: [stored] };
    }
    const judge = judgeOf(past);
    if (judge === undefined) return this.#storageOfUndone(past);
    const others = past.open.filter((one) => one !== judge).map(({ record }) => record);
    const next = this.#nextMove(judge.record, others, returning);
    if (next.move === 'welcome') {
      const owing = [...past.open, ...past.nothing].find(({ record }) => this.#owesStorage(record));
      if (owing !== undefined) return this.#storageFirst(owing, next, past.open);
    }
    return next.move === 'wait' ? undefined : { stored: judge, next, whose: past.open };
  }

  /** Nothing was released by what came to nothing, so nobody else writes: the node lives, and needs what was taken from it. */
  #storageOfUndone({ nothing }: NodePast): ReturnStep | undefined {
    const stored = nothing.find(({ record }) => record.result === 'undone' && this.#owesStorage(record));
    if (stored === undefined || !this.#isStorageDue(stored)) return undefined;
    return {
      stored,
      next: { move: 'give-storage-back', detail: 'its takeover was undone' },
      whose: [stored],
    };
  }

  #owesStorage(record: TakeoverRecord): boolean {
    return this.#options.storage?.owes(record) === true;
  }

  /** A node that can't reach its storage is not to be trusted with pods; and one that may still write is not to reach it. */
  #storageFirst(
    owing: StoredRecord,
    { detail }: Extract<ReturnMove, { move: 'welcome' }>,
    whose: readonly StoredRecord[],
  ): ReturnStep | undefined {
    if (!this.#isStorageDue(owing)) return undefined;
    return { stored: owing, next: { move: 'give-storage-back', detail }, whose };
  }

  #isStorageDue({ record }: StoredRecord): boolean {
    return this.#storageTries.isDue(record.id, this.#options.clock.now());
  }

  /** Asks for it, with a live look right before each request, and puts on record that it was given. */
  async #giveStorageBack(
    term: LeaderTerm,
    past: NodePast,
    returning: ReturningNode,
    stored: StoredRecord,
    next: Extract<ReturnMove, { move: 'give-storage-back' }>,
  ): Promise<readonly StoredRecord[]> {
    const { cluster, clock, storage } = this.#options;
    const { id, node } = stored.record;
    this.#storageTries.note(id, clock.now());
    const permit = async (): Promise<FencePermit> => {
      const lookedAt = clock.now();
      const live = await cluster.readNode(term, node.name);
      if (live === undefined || live.object.metadata.uid !== returning.node.metadata.uid) {
        return refused('overtaken', 'another Node has its name');
      }
      const why = this.#keepsStorage(past, stored, { ...returning, node: live.object });
      if (why !== undefined) return refused('unknown', why);
      return permitSince(lookedAt, { now: clock.now(), remainingMs: term.remainingMs() });
    };
    const live = await cluster.readNode(term, node.name);
    const why = live && this.#keepsStorage(past, stored, { ...returning, node: live.object });
    const answer = why === undefined ? await storage?.giveBack(term, stored.record, permit) : undefined;
    term.assertValid();
    if (answer?.outcome !== 'given-back') {
      throw new Error(
        `storage is not given back to it yet: ${why ?? answer?.detail ?? 'nobody is there to ask'}`,
      );
    }
    const at = new Date(clock.wallTime()).toISOString();
    const { stored: saved, noted } = await this.#save(term, stored, (record) => ({
      ...record,
      storageBack: { state: 'done', at, epoch: term.epoch, detail: answer.detail },
    }));
    const there = live?.object ?? returning.node;
    if (noted) this.#tell(saved.record, next.move, `${next.detail}; ${answer.detail}`, there);
    return [saved];
  }

  /** Why storage must not be given back to the node as it is at this moment; undefined when it may. */
  #keepsStorage({ open }: NodePast, stored: StoredRecord, returning: ReturningNode): string | undefined {
    const { clock, rules } = this.#options;
    if (open.length === 0 && stored.record.result === 'undone') return undefined;
    const judge = open.at(-1) ?? stored;
    const others = open.filter((one) => one !== judge).map(({ record }) => record);
    const next = nextReturnMove(judge.record, returning, rules, clock.now(), others);
    if (next.move !== 'welcome') return `it is not to be trusted: ${wordsOf(next)}`;
    if (isProvenReturn(judge.record, returning.node)) return undefined;
    return (
      'nothing proves that it has booted since. Make sure that nothing of before runs on it, and run: ' +
      `kubectl annotate --overwrite node ${returning.node.metadata.name} ${confirmedReturnedAnnotation}=${judge.record.id}`
    );
  }

  /** As {@link nextReturnMove} has it, but for a quarantine in which nothing is left to do. */
  #nextMove(record: TakeoverRecord, others: readonly TakeoverRecord[], returning: ReturningNode): ReturnMove {
    const { clock, rules } = this.#options;
    const next = nextReturnMove(record, returning, rules, clock.now(), others);
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
    { open }: NodePast,
    { stored, next, whose }: ReturnStep,
  ): Promise<WriteOutcome> {
    const { cluster } = this.#options;
    const taints = live.object.spec?.taints ?? [];
    if (next.move === 'restore') return cluster.addToNode(term, live, next.missing);
    if (next.move === 'admit')
      return cluster.setTaints(term, live, withoutTaints(taints, [outOfServiceTaint]));
    if (next.move === 'quarantine') {
      const quarantine = quarantineTaint(stored.record.id);
      if (hasTaint(taints, quarantine)) return 'written';
      return cluster.setTaints(term, live, withTaints(taints, [quarantine]));
    }
    const records = whose.map(({ record }) => record);
    const left = withoutTaints(taints, marksOf(records, live.object));
    const spent = spentWordsOn(live.object);
    // The stamp stays for as long as another takeover still has marks on the Node.
    const more = marksOf(
      open.map(({ record }) => record),
      { ...live.object, spec: { taints: left } },
    );
    // Somebody may have taken off the taints, who knows nothing of the stamp.
    const isStamped = more.length === 0 && live.object.metadata.annotations?.[epochAnnotation] !== undefined;
    if (left.length === taints.length && spent.length === 0 && !isStamped) return 'written';
    return more.length === 0
      ? cluster.clearTaints(term, live, left, spent)
      : cluster.setTaints(term, live, left);
  }

  /** The record with what was done about its node. */
  #noted(record: TakeoverRecord, move: ReturnProgress['move'], node: Node, detail: string): TakeoverRecord {
    const at = new Date(this.#options.clock.wallTime()).toISOString();
    // What was done to a Node that is gone by now says nothing about the one that is there.
    const before = record.return?.uid === node.metadata.uid ? record.return : undefined;
    const over = move === 'welcome' || move === 'replace';
    return {
      ...record,
      return: {
        uid: node.metadata.uid,
        bootId: node.status?.nodeInfo?.bootID ?? '',
        seenAt: before?.seenAt ?? at,
        restored: before?.restored === true || move === 'restore',
        quarantined: before?.quarantined === true || move === 'quarantine',
        welcomed: over,
        ...(over && { welcomedAt: at }),
        detail,
      },
    };
  }

  /**
   * Writes a change to a record, conditional on what was seen. Somebody else may write to it at the same time, who still
   * watches its pods: then the change is made to what is there by now. When that is not to be had, what was done to the node
   * is done, and doing it again changes nothing: the next look finds out.
   */
  async #save(
    term: LeaderTerm,
    stored: StoredRecord,
    change: (record: TakeoverRecord) => TakeoverRecord,
  ): Promise<{ readonly stored: StoredRecord; readonly noted: boolean }> {
    const { cluster } = this.#options;
    let seen = stored;
    for (let attempt = 0; attempt < saveAttempts; attempt++) {
      const changed = { ...change(seen.record), epoch: term.epoch, leader: term.identity };
      const saved = await cluster.updateRecord(term, seen, changed);
      if (saved !== 'conflict' && saved !== 'gone') return { stored: saved, noted: true };
      const there = await cluster.readRecord(term, seen.record.id);
      // Nowhere to write it any more: this leader at least knows, and does not do it again and again.
      if (there === undefined) return { stored: { ...seen, record: changed }, noted: true };
      seen = there;
      if (there.record.epoch > term.epoch) break;
    }
    return { stored: seen, noted: false };
  }

  #tell(record: TakeoverRecord, move: ReturnProgress['move'], detail: string, node: Node): void {
    const { onProgress, publish } = this.#options;
    onProgress({ record, node: record.node.name, move, detail });
    const event = (type: NodeEvent['type'], reason: NodeEvent['reason'], message: string): void =>
      publish({
        type,
        reason,
        message: `${message} (takeover ${record.id})`,
        node: { name: node.metadata.name, uid: node.metadata.uid },
      });
    if (move === 'restore') event('Normal', 'NodeRestored', `put back ${detail}`);
    if (move === 'admit') event('Normal', 'NodeAdmitted', `no longer out of service: ${detail}`);
    if (move === 'give-storage-back') event('Normal', 'StorageGivenBack', `storage is given back: ${detail}`);
    if (move === 'replace') event('Normal', 'NodeReplaced', `nothing is put back: ${detail}`);
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

/** The mark is off the node by now: whatever bears its name later is somebody else's. */
function withoutMark(record: TakeoverRecord): TakeoverRecord {
  return { ...record, outOfService: false };
}

function wordsOf(move: ReturnMove): string {
  return 'detail' in move ? move.detail : 'what people had put on it is to be put back first';
}

function owesMark(record: TakeoverRecord, node: Node): boolean {
  return record.outOfService !== false && record.node.uid === node.metadata.uid;
}

function wordsFor({ labels, annotations, taints, unschedulable }: Keepsake): string {
  const parts = [
    counted(Object.keys(labels).length, 'label'),
    counted(Object.keys(annotations).length, 'annotation'),
    counted(taints.length, 'taint'),
  ];
  return unschedulable ? `${parts.join(', ')} and the cordon` : parts.join(', ');
}
