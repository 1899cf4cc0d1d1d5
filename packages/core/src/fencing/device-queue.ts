// Whose turn it is at a device that several machines share: first come, first served, and no more at a time than it bears.

/** What one machine's fence may do at its device. */
export type DeviceTurn =
  | { readonly outcome: 'granted' }
  | {
      readonly outcome: 'busy';
      readonly key: string;
      /** Names of the nodes that it is at work on. */
      readonly with: readonly string[];
      /** How many have asked before and wait as well. */
      readonly before: number;
      /** Resolves when it is this one's turn. Never rejects; never resolves for whoever left. */
      readonly turn: Promise<void>;
    };

/** Whoever only looks at a device while nobody needs it. */
interface Loan {
  readonly limit: number;
  readonly callBack: () => void;
}

interface Ticket {
  readonly id: string;
  readonly node: string;
  /** How many at a time the device bears, as the fencer of this one has it. */
  readonly limit: number;
  granted: boolean;
  readonly turn: PromiseWithResolvers<void>;
}

/**
 * One for all fencers of a process: those that name the same key share its limit, and where they differ about it the lowest counts.
 * Whoever was granted a turn has it until it leaves.
 */
export class DeviceQueue {
  /** By key, in the order in which they asked. */
  readonly #lines = new Map<string, Ticket[]>();
  readonly #keys = new Map<string, string>();
  readonly #loans = new Map<string, Set<Loan>>();

  /** Asks for a turn, or once more for the one that it has or waits for. Whoever asks for another device leaves the one before. */
  ask(key: string, limit: number, { id, node }: { readonly id: string; readonly node: string }): DeviceTurn {
    if (this.#keys.get(id) !== key) {
      this.leave(id);
      this.#keys.set(id, key);
      const turn = Promise.withResolvers<void>();
      this.#lines.set(key, [...(this.#lines.get(key) ?? []), { id, node, limit, granted: false, turn }]);
      this.#grant(key);
      for (const { callBack } of this.#loans.get(key) ?? []) callBack();
    }
    return this.turnOf(id) ?? { outcome: 'granted' };
  }

  /** Where it stands; undefined when it has not asked, or left. */
  turnOf(id: string): DeviceTurn | undefined {
    const key = this.#keys.get(id);
    const line = key === undefined ? undefined : this.#lines.get(key);
    const place = line?.findIndex((ticket) => ticket.id === id) ?? -1;
    const own = line?.[place];
    if (key === undefined || line === undefined || own === undefined) return undefined;
    if (own.granted) return { outcome: 'granted' };
    const atWork = line.filter(({ granted }) => granted);
    const before = line.slice(0, place).filter(({ granted }) => !granted).length;
    return { outcome: 'busy', key, with: atWork.map(({ node }) => node), before, turn: own.turn.promise };
  }

  /** Gives its turn, or its place in line, to the next. To be called on every path; does nothing for whoever has none. */
  leave(id: string): void {
    const key = this.#keys.get(id);
    if (key === undefined) return;
    this.#keys.delete(id);
    const rest = (this.#lines.get(key) ?? []).filter((ticket) => ticket.id !== id);
    if (rest.length === 0) {
      this.#lines.delete(key);
      return;
    }
    this.#lines.set(key, rest);
    this.#grant(key);
  }

  /** Whether it may be lent to one more: nobody has a turn there or waits for one, and it bears it. */
  mayLend(key: string, limit: number): boolean {
    if (this.#lines.has(key)) return false;
    const loans = [...(this.#loans.get(key) ?? [])];
    return loans.length < Math.min(limit, ...loans.map((loan) => loan.limit));
  }

  /**
   * Lends the device to somebody who only looks, which {@link DeviceQueue.mayLend} allows. No turn is waited for on its account: as soon as
   * anybody asks for one, `callBack` is called.
   *
   * @returns what gives it back. To be called on every path.
   */
  lend(key: string, limit: number, callBack: () => void): () => void {
    const loan: Loan = { limit, callBack };
    const loans = this.#loans.get(key) ?? new Set();
    this.#loans.set(key, loans.add(loan));
    return () => {
      loans.delete(loan);
      if (loans.size === 0 && this.#loans.get(key) === loans) this.#loans.delete(key);
    };
  }

  #grant(key: string): void {
    const line = this.#lines.get(key) ?? [];
    const limit = Math.min(...line.map((ticket) => ticket.limit));
    let atWork = line.filter(({ granted }) => granted).length;
    for (const ticket of line) {
      if (ticket.granted) continue;
      if (atWork >= limit) return;
      atWork += 1;
      ticket.granted = true;
      ticket.turn.resolve();
    }
  }
}
