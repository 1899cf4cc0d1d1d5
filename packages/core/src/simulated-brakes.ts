// Which brakes are on takeovers that have begun, in a simulation, and what is told of it. Pure.
import type { Decision } from './policy/decision.ts';
import { hold } from './policy/guard.ts';
import { holdsOf, type SimulatedEvent, type SimulatedHold } from './preflight/deaths/moment.ts';
import type { TakeoverRecord } from './takeover/record.ts';
import type { WorldWitness } from './takeover-witness.ts';
import { withoutNumbers } from './wording/numbers.ts';

/** Whoever selects no node wants nothing done to it. */
const unselected: Decision = {
  action: 'hold',
  verdicts: [{ guard: 'policy', verdict: hold('no policy selects the node any more') }],
  nextCheckAt: undefined,
};

export class SimulatedBrakes {
  readonly #witness: WorldWitness;
  readonly #tell: (event: SimulatedEvent) => void;
  /** By node, as they were found last. */
  readonly #on = new Map<string, Decision>();

  constructor(witness: WorldWitness, tell: (event: SimulatedEvent) => void) {
    this.#witness = witness;
    this.#tell = tell;
  }

  /** How many takeovers are held by what knows no time: they go on when somebody takes it off, and not by themselves. */
  get heldForGood(): number {
    return [...this.#on.values()].filter(({ nextCheckAt }) => nextCheckAt === undefined).length;
  }

  /** Those that were found last on the takeover of a node. */
  holdsOn(node: string): readonly SimulatedHold[] {
    const decision = this.#on.get(node);
    return decision === undefined ? [] : holdsOf(decision);
  }

  /** Asks anew, and tells what is another than before. */
  hold(record: TakeoverRecord): boolean {
    const { name } = record.node;
    const before = wordsOf(this.holdsOn(name));
    const decision = this.#witness.brakesOn(record) ?? unselected;
    if (decision.action === 'act') {
      this.#on.delete(name);
      return false;
    }
    this.#on.set(name, decision);
    const holds = holdsOf(decision);
    if (wordsOf(holds) !== before) this.#tell({ kind: 'held', node: name, holds });
    return true;
  }
}

/** The same for two that differ only in how long they last still. */
function wordsOf(holds: readonly SimulatedHold[]): string {
  return holds.map(({ guard, reason }) => `${guard}: ${withoutNumbers(reason)}`).join('; ');
}
