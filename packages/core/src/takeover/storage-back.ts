// Gives storage back to a machine that was cut off from it, once nothing of before runs on it any more.

import { askUnfence } from '../fencing/ask-unfence.ts';
import type { DeviceQueue } from '../fencing/device-queue.ts';
import type { FencePermit } from '../fencing/fence-context.ts';
import { deviceOf } from '../fencing/fence-device.ts';
import type { Fencer } from '../fencing/fencer.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import type { Clock } from '../time/clock.ts';
import type { CustomResources } from './custom-resources.ts';
import { storageFencersOf, targetOnRecord } from './giving-back.ts';
import type { TakeoverRecord } from './record.ts';
import { wordsOf } from './step.ts';

/** What came of it. */
export type StorageAnswer =
  | { readonly outcome: 'given-back'; readonly detail: string }
  /** To be asked again; `detail` says why. */
  | { readonly outcome: 'not-yet'; readonly detail: string };

/** What whoever takes nodes in again has to know of fencers that cut storage off. */
export interface StorageReturn {
  /** Whether the takeover may have cut its node off from storage, and it was not given back yet. */
  owes(record: TakeoverRecord): boolean;
  /** @param permit - Whether that may be done at this moment, by a live look. */
  giveBack(
    term: LeaderTerm,
    record: TakeoverRecord,
    permit: () => Promise<FencePermit>,
  ): Promise<StorageAnswer>;
}

export interface StorageBackOptions {
  readonly clock: Clock;
  readonly fencers: ReadonlyMap<string, Fencer>;
  readonly devices: DeviceQueue;
  /** Where fencers write to Kubernetes. Absent: nowhere. */
  readonly resources?: CustomResources;
}

export class StorageBack implements StorageReturn {
  readonly #options: StorageBackOptions;

  constructor(options: StorageBackOptions) {
    this.#options = options;
  }

  owes(record: TakeoverRecord): boolean {
    return storageFencersOf(record, this.#options.fencers).length > 0;
  }

  /** Each fencer that may have acted, one after another: doing it twice is the same as once. */
  async giveBack(
    term: LeaderTerm,
    record: TakeoverRecord,
    permit: () => Promise<FencePermit>,
  ): Promise<StorageAnswer> {
    const { fencers, devices } = this.#options;
    const done: string[] = [];
    for (const name of storageFencersOf(record, fencers)) {
      const fencer = fencers.get(name);
      if (fencer === undefined) continue;
      try {
        const answer = await this.#ask(term, record, fencer, permit);
        if (answer.outcome === 'not-yet') return answer;
        done.push(answer.detail);
      } finally {
        devices.leave(ticketOf(record));
      }
    }
    return { outcome: 'given-back', detail: done.join('; ') };
  }

  async #ask(
    term: LeaderTerm,
    record: TakeoverRecord,
    fencer: Fencer,
    permit: () => Promise<FencePermit>,
  ): Promise<StorageAnswer> {
    const { clock, devices, resources } = this.#options;
    const target = targetOnRecord(record);
    const words = (detail: string): string => `${fencer.name}: ${detail}`;
    try {
      const device = deviceOf(fencer, target);
      const who = { id: ticketOf(record), node: record.node.name };
      const turn = device && devices.ask(device.key, device.concurrency, who);
      if (turn?.outcome === 'busy') return { outcome: 'not-yet', detail: words(`${turn.key} is busy`) };
    } catch (error) {
      return { outcome: 'not-yet', detail: words(`nobody can say which device it is: ${wordsOf(error)}`) };
    }
    const { result, refusal } = await askUnfence(fencer, target, {
      signal: term.signal,
      clock,
      permit,
      ...(resources && { resources: (rules) => resources({ ...rules, term }) }),
    });
    return result.outcome === 'unfenced'
      ? { outcome: 'given-back', detail: words(result.detail) }
      : { outcome: 'not-yet', detail: words(refusal?.detail ?? result.detail) };
  }
}

function ticketOf({ id }: TakeoverRecord): string {
  return `storage of ${id}`;
}
