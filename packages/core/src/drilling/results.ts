// What fencers said when they were last asked, by node: what changes is told, what is bad is listed. Bounded by the fleet.
import { checkKey } from '../fencing/check-key.ts';
import type { FenceCheck } from '../fencing/fence-check.ts';
import { withoutNumbers } from '../wording/numbers.ts';

/** What one fencer said of one node. */
export interface CheckResult {
  readonly node: string;
  readonly uid: string;
  readonly policy: string;
  readonly fencer: string;
  readonly check: FenceCheck;
  /** Monotonic. */
  readonly at: number;
  /** Monotonic; absent: never, in this term. */
  readonly readyAt?: number;
}

/** `failing`: it isn't ready, or for another reason than before. `ready`: it is again. */
export type CheckNews = 'failing' | 'ready';

export class CheckResults {
  readonly #known = new Map<string, CheckResult>();
  /** Changes with whatever is in it. */
  version = 0;

  get(node: string, fencer: string): CheckResult | undefined {
    return this.#known.get(checkKey(node, fencer));
  }

  values(): Iterable<CheckResult> {
    return this.#known.values();
  }

  note(result: Omit<CheckResult, 'readyAt'>): CheckNews | undefined {
    const key = checkKey(result.node, result.fencer);
    const known = this.#known.get(key);
    const before = known?.uid === result.uid ? known : undefined;
    const readyAt = result.check.outcome === 'ready' ? result.at : before?.readyAt;
    this.#known.set(key, { ...result, ...(readyAt !== undefined && { readyAt }) });
    this.version += 1;
    return newsOf(before?.check, result.check);
  }

  /** Forgets all others. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#known.keys()) {
      if (keys.has(key)) continue;
      this.#known.delete(key);
      this.version += 1;
    }
  }
}

function newsOf(before: FenceCheck | undefined, after: FenceCheck): CheckNews | undefined {
  if (after.outcome !== 'ready') {
    const isKnown =
      before !== undefined &&
      before.outcome !== 'ready' &&
      withoutNumbers(before.detail) === withoutNumbers(after.detail);
    return isKnown ? undefined : 'failing';
  }
  return before !== undefined && before.outcome !== 'ready' ? 'ready' : undefined;
}
