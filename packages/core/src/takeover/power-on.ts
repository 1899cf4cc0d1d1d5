// Switches machines on again that a fencer switched off, where the policy says so, once their pods and volumes are free.

import { askUnfence } from '../fencing/ask-unfence.ts';
import type { DeviceQueue } from '../fencing/device-queue.ts';
import { type FencePermit, refused } from '../fencing/fence-context.ts';
import { deviceOf } from '../fencing/fence-device.ts';
import type { Fencer } from '../fencing/fencer.ts';
import { permitSince } from '../fencing/look-permit.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import { type Clock, sleep } from '../time/clock.ts';
import { withoutNumbers } from '../wording/numbers.ts';
import type { StoredRecord, TakeoverCluster } from './cluster.ts';
import type { TakeoverProgress } from './executor.ts';
import { owesPower, staysOff, targetOnRecord } from './giving-back.ts';
import { SpentPatience } from './patience.ts';
import { pauseInTerm } from './pause.ts';
import type { GivenBack, TakeoverRecord } from './record.ts';
import type { RecordBook } from './records/record-book.ts';
import { wordsOf } from './step.ts';

export interface PowerOnOptions {
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly cluster: Pick<TakeoverCluster, 'readNode' | 'readRecord' | 'updateRecord'>;
  readonly records: RecordBook;
  readonly fencers: ReadonlyMap<string, Fencer>;
  readonly devices: DeviceQueue;
  readonly onProgress: (progress: TakeoverProgress) => void;
  readonly onError: (where: string, error: unknown) => void;
}

/** A device that was well a moment ago may restart; whoever looks into it after that has to be told. */
const patienceMs = 600_000;

const retryMs = 1_000;
const longestRetryMs = 60_000;

/** How often the patience that is spent is put on record, where nothing else is new. */
const noteEveryMs = 10_000;

/** How often one that other writers change is written in one go. */
const saveAttempts = 5;

/**
 * Beside the takeover, which goes on without it: nothing waits for this, and its failure stops nothing. No brake holds it, since it takes
 * nothing from anybody. Each leader goes on where the last one stopped.
 */
export class PowerOn {
  readonly #options: PowerOnOptions;
  readonly #working = new Map<string, Promise<void>>();

  constructor(options: PowerOnOptions) {
    this.#options = options;
  }

  /** Begins what is due. To be called at each look. */
  attend(): void {
    const { records, term } = this.#options;
    if (term.remainingMs() <= 0) return;
    for (const stored of records.all()) {
      const { id } = stored.record;
      if (owesPower(stored.record) && !this.#working.has(id) && this.#isLatest(stored.record)) {
        this.#working.set(id, this.#work(stored));
      }
    }
  }

  async settled(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working.values());
  }

  /** A later takeover of the same node may be about to switch it off. */
  #isLatest({ id, node }: TakeoverRecord): boolean {
    return this.#options.records.ofNode(node.name).at(-1)?.record.id === id;
  }

  async #work(stored: StoredRecord): Promise<void> {
    const { term, clock, devices, onError } = this.#options;
    const { id, node } = stored.record;
    try {
      await this.#switchOn(stored);
    } catch (error) {
      if (term.remainingMs() > 0) onError(`power of ${node.name}`, error);
      await sleep(clock, retryMs, term.signal);
    } finally {
      devices.leave(ticketOf(id));
      this.#working.delete(id);
    }
  }

  async #switchOn(stored: StoredRecord): Promise<void> {
    const { clock, term, fencers } = this.#options;
    const { record } = stored;
    const patience = new SpentPatience(clock, record.powerOn?.spentMs ?? 0);
    const begun = await this.#note(stored, { state: 'begun' }, patience);
    if (begun === undefined) return;
    const { fencer: name = '' } = record;
    const fencer = fencers.get(name);
    const why = staysOff(record) ?? (fencer === undefined ? `${name} is no fencer here` : undefined);
    if (fencer === undefined || why !== undefined) return this.#end(begun, 'failed', why ?? '', patience);
    this.#report(begun.record, 'started', '');
    let told = '';
    let notedAt = clock.now();
    for (let tries = 0; ; tries++) {
      let busy: Promise<void> | undefined;
      try {
        busy = this.#busy(record, fencer);
      } catch (error) {
        const detail = `nobody can say which device it is: ${wordsOf(error)}`;
        return this.#end(begun, 'failed', detail, patience);
      }
      if (busy !== undefined) {
        await pauseInTerm(clock, term, retryMs, busy);
        patience.spare();
        tries = 0;
        continue;
      }
      const { result, refusal } = await askUnfence(fencer, targetOnRecord(record), {
        signal: term.signal,
        clock,
        permit: () => this.#permit(record),
      });
      if (refusal?.code === 'alive') return this.#end(begun, 'done', refusal.detail, patience);
      if (refusal?.code === 'overtaken') return this.#end(begun, 'failed', refusal.detail, patience);
      const detail = `${name}: ${result.detail}`;
      if (result.outcome === 'unfenced') return this.#end(begun, 'done', detail, patience);
      const isOver = result.outcome === 'failed' && result.permanent === true;
      if (isOver || patience.spentMs >= patienceMs) return this.#end(begun, 'failed', detail, patience);
      if (result.outcome === 'failed') this.#options.devices.leave(ticketOf(record.id));
      const isNews = withoutNumbers(detail) !== withoutNumbers(told);
      if (isNews) this.#report(begun.record, result.outcome === 'failed' ? 'retrying' : 'waiting', detail);
      told = detail;
      const pauseMs =
        result.outcome === 'waiting' ? result.retryAfterMs : Math.min(longestRetryMs, retryMs * 2 ** tries);
      await pauseInTerm(clock, term, pauseMs);
      patience.spend();
      // A device may want to be asked again ten times a second.
      if (!isNews && clock.now() - notedAt < noteEveryMs) continue;
      await this.#note(begun, { state: 'begun', detail }, patience);
      notedAt = clock.now();
    }
  }

  /** Resolves when it is its turn at a device that is busy; undefined when it needs none, or has its turn. */
  #busy(record: TakeoverRecord, fencer: Fencer): Promise<void> | undefined {
    const device = deviceOf(fencer, targetOnRecord(record));
    if (device === undefined) return undefined;
    const who = { id: ticketOf(record.id), node: record.node.name };
    const turn = this.#options.devices.ask(device.key, device.concurrency, who);
    return turn.outcome === 'busy' ? turn.turn : undefined;
  }

  /** By live reads: nobody else has it in hand, and it has not come up by itself. */
  async #permit(record: TakeoverRecord): Promise<FencePermit> {
    const { term, clock, cluster } = this.#options;
    const lookedAt = clock.now();
    const stored = await cluster.readRecord(term, record.id);
    if (stored === undefined || isInOtherHands(stored.record, term)) {
      return refused('overtaken', 'its record is in other hands');
    }
    if (stored.record.return !== undefined) return refused('alive', 'it has come back by itself');
    if (!this.#isLatest(record)) return refused('overtaken', 'the node has died again since');
    const node = await cluster.readNode(term, record.node.name);
    const bootId = node?.object.status?.nodeInfo?.bootID ?? '';
    if (bootId !== '' && record.node.bootId !== '' && bootId !== record.node.bootId) {
      return refused('alive', 'it has booted by itself');
    }
    return permitSince(lookedAt, { now: clock.now(), remainingMs: term.remainingMs() });
  }

  async #end(
    stored: StoredRecord,
    state: 'done' | 'failed',
    detail: string,
    patience: SpentPatience,
  ): Promise<void> {
    const saved = await this.#note(stored, { state, detail }, patience);
    if (saved === undefined) return;
    const words = state === 'done' ? `switched on again: ${detail}` : `not switched on again: ${detail}`;
    this.#report(saved.record, state === 'done' ? 'done' : 'skipped', words);
  }

  /** Undefined when the record is in other hands. Whoever watches its pods may write to it at the same time. */
  async #note(
    stored: StoredRecord,
    note: Pick<GivenBack, 'state' | 'detail'>,
    patience: SpentPatience,
  ): Promise<StoredRecord | undefined> {
    const { term, clock, cluster, records } = this.#options;
    const at = new Date(clock.wallTime()).toISOString();
    const powerOn: GivenBack = { ...note, at, epoch: term.epoch, spentMs: Math.round(patience.spentMs) };
    let seen = records.get(stored.record.id) ?? stored;
    for (let attempt = 0; attempt < saveAttempts; attempt++) {
      const { record } = seen;
      if (isInOtherHands(record, term)) return undefined;
      const left = note.state === 'failed' ? { left: [...(record.left ?? []), `power: ${note.detail}`] } : {};
      const changed = { ...record, ...left, powerOn, epoch: term.epoch, leader: term.identity };
      const saved = await cluster.updateRecord(term, seen, changed);
      if (saved !== 'conflict' && saved !== 'gone') {
        records.put(saved);
        return saved;
      }
      const there = await cluster.readRecord(term, record.id);
      if (there === undefined) return undefined;
      seen = there;
    }
    throw new Error(`record ${stored.record.id} can't be written: it changed meanwhile, again and again`);
  }

  #report(record: TakeoverRecord, phase: TakeoverProgress['phase'], detail: string): void {
    this.#options.onProgress({ record, step: 'power-on', phase, detail });
  }
}

function isInOtherHands({ epoch, powerOn }: TakeoverRecord, term: LeaderTerm): boolean {
  return epoch > term.epoch || powerOn?.state === 'done' || powerOn?.state === 'failed';
}

/** Not that of the takeover itself, which lets go of its own. */
function ticketOf(id: string): string {
  return `power-on ${id}`;
}
