// What a leader tries about a node and can't do, again and again: told after a few times, with the server's own words.
import type { NodeEvent } from '../takeover/cluster.ts';
import { withoutNumbers } from '../wording/numbers.ts';

/** What is tried: opening a takeover (`claim`), a step of one, taking it back, writing its end, or taking a node in again. */
export type TroubledAct =
  | 'claim'
  | 'cordon'
  | 'fence'
  | 'recheck'
  | 'release'
  | 'remove'
  | 'verify'
  | 'undo'
  | 'close'
  | 'return';

/** Something about a node that fails again and again. */
export interface NodeTrouble {
  /** The Node's name. */
  readonly node: string;
  /** The Node's uid. */
  readonly uid: string;
  /** What is tried. */
  readonly act: TroubledAct;
  /** How often it has failed in a row. */
  readonly tries: number;
  /** Why, in the words of whoever refuses. */
  readonly detail: string;
}

/** Something about a node fails again and again, for another reason than before, or no longer. */
export interface TroubleChange extends NodeTrouble {
  /** It works again, or is no longer tried. */
  readonly over: boolean;
}

export interface TroublesOptions {
  readonly now: () => number;
  readonly publish: (event: NodeEvent) => void;
  readonly onChange: (change: TroubleChange) => void;
}

/** What failed less often in a row may pass by itself. */
const aFew = 3;

/** What has not failed for this long is no longer tried: every attempt comes sooner than that. */
const forgottenAfterMs = 60_000;

interface Known {
  trouble: NodeTrouble;
  at: number;
  told: string | undefined;
}

export class Troubles {
  readonly #options: TroublesOptions;
  /** By the node's name: one thing at a time is done about each. */
  readonly #known = new Map<string, Known>();

  constructor(options: TroublesOptions) {
    this.#options = options;
  }

  /** Those that were told, by the node's name. */
  get told(): ReadonlyMap<string, NodeTrouble> {
    const told = [...this.#known].filter(([, known]) => known.told !== undefined);
    return new Map(told.map(([name, { trouble }]) => [name, trouble]));
  }

  failed(
    { name, uid }: { readonly name: string; readonly uid: string },
    act: TroubledAct,
    detail: string,
  ): void {
    const before = this.#known.get(name);
    const goesOn = before !== undefined && before.trouble.uid === uid;
    const tries = goesOn ? before.trouble.tries + 1 : 1;
    const trouble = { node: name, uid, act, tries, detail };
    const known: Known = { trouble, at: this.#options.now(), told: goesOn ? before.told : undefined };
    this.#known.set(name, known);
    const words = `${act}: ${withoutNumbers(detail)}`;
    if (tries < aFew || known.told === words) return;
    known.told = words;
    this.#options.onChange({ ...trouble, over: false });
    this.#options.publish({
      type: 'Warning',
      reason: 'ActionFailing',
      message: `${whatFails(act)} has failed ${tries} times in a row, and is tried again: ${detail}`,
      node: { name, uid },
    });
  }

  /** Why it last failed, told or not. */
  lastDetail(node: string): string | undefined {
    return this.#known.get(node)?.trouble.detail;
  }

  /** Something about the node was done. */
  over(node: string): void {
    const known = this.#known.get(node);
    if (known === undefined) return;
    this.#known.delete(node);
    if (known.told !== undefined) this.#options.onChange({ ...known.trouble, over: true });
  }

  /** To be called now and then: what is no longer tried fails no longer. */
  sweep(): void {
    const now = this.#options.now();
    for (const [node, { at }] of this.#known) if (now - at >= forgottenAfterMs) this.over(node);
  }
}

/** As the subject of a sentence. */
export function whatFails(act: TroubledAct): string {
  if (act === 'claim') return 'claiming its takeover';
  if (act === 'undo') return 'taking back its takeover';
  if (act === 'close') return 'writing down how far its takeover is';
  if (act === 'return') return 'taking it in again';
  return `step ${act} of its takeover`;
}
