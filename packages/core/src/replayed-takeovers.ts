// What a replay by other rules makes of takeovers that the replica really did: they count from when these rules would have begun
// them, and before that nothing of them is there.
import type { JournalHead } from './journal-format.ts';
import type { Node } from './kubernetes/objects.ts';
import { isOutOfService, takeoverTaintKey } from './marks/taints.ts';
import { SupposedTakeovers } from './supposed-takeover.ts';
import type { StoredRecord } from './takeover/cluster.ts';
import type { Fact, Intent, World } from './world-state.ts';

export class ReplayedTakeovers {
  readonly #observed: boolean;
  /** What earlier leaders left behind is the past under any rules. */
  #tookUp = false;
  readonly #past = new Set<string>();
  /** By id, takeovers that the replica began and these rules have not: as they were last on record. */
  readonly #withheld = new Map<string, StoredRecord>();
  /** By node, what was last said of work on it that these rules know nothing of. */
  readonly #work = new Map<string, Extract<Fact, { kind: 'work' }>>();
  /** By name, uids of Nodes that such a takeover deleted and that are there still by these rules. */
  readonly #removed = new Map<string, string>();
  /** Deaths that these rules have begun a takeover of. */
  readonly #begun = new Set<string>();
  #supposed = new SupposedTakeovers();

  constructor({ mode }: Pick<JournalHead, 'mode'>) {
    this.#observed = mode === 'observe';
  }

  /** What was on record when the journal began, in the middle of a term, is the past, too. */
  restored({ term }: World, records: readonly StoredRecord[]): void {
    this.#reset();
    this.#tookUp = term?.unread.length === 0;
    for (const { record } of records) this.#past.add(record.id);
  }

  /** What of a fact that came in is one under these rules. */
  pass(fact: Fact, world: World): readonly Fact[] {
    switch (fact.kind) {
      case 'term':
        this.#reset();
        return [fact];
      case 'unread':
        this.#tookUp ||= fact.what.length === 0;
        return [fact];
      case 'record':
        return this.#record(fact, world);
      case 'record-gone':
        return this.#withheld.delete(fact.id) ? [] : [fact];
      case 'work':
        if (this.#hasOpenRecord(fact.node, world)) return [fact];
        this.#work.set(fact.node, fact);
        return [];
      case 'node':
        this.#removed.delete(fact.node.metadata.name);
        return [{ kind: 'node', node: this.#unmarked(fact.node) }];
      case 'node-gone':
        return this.#isRemovedByUs(fact, world) ? [] : [fact];
      default:
        return [fact];
    }
  }

  /** What these rules ask for has consequences of its own. */
  follow(intent: Intent, world: World, time: string): readonly Fact[] {
    const { term } = world;
    if (term === undefined) return [];
    if (intent.kind === 'health') {
      const forgotten = this.#supposed.seen(intent);
      return forgotten === undefined ? [] : [forgotten];
    }
    if (intent.kind !== 'take-over') return [];
    const { deathId } = intent.node;
    const { name } = intent.node.node.metadata;
    this.#begun.add(deathId);
    const really = [...this.#withheld.values()].filter(({ record }) => record.deathId === deathId);
    if (really.length === 0) return this.#supposed.begin(intent, term, time);
    for (const { record } of really) this.#withheld.delete(record.id);
    const state = this.#work.get(name)?.state ?? 'over';
    this.#work.delete(name);
    return [
      ...really.map((stored) => ({ kind: 'record', stored }) as const),
      { kind: 'work', node: name, state },
      ...this.#goneMeanwhile(name, intent.node.node.metadata.uid),
    ];
  }

  #record(fact: Extract<Fact, { kind: 'record' }>, world: World): readonly Fact[] {
    const { id, deathId } = fact.stored.record;
    if (!this.#tookUp || this.#past.has(id)) {
      this.#past.add(id);
      return [fact];
    }
    if (!this.#begun.has(deathId)) {
      this.#withheld.set(id, fact.stored);
      return [];
    }
    const supposed = world.term && this.#supposed.replacedBy(fact.stored, world.term.records);
    return supposed === undefined || supposed === id ? [fact] : [{ kind: 'record-gone', id: supposed }, fact];
  }

  #hasOpenRecord(node: string, { term }: World): boolean {
    const ids = term?.records.byNode.get(node) ?? [];
    return [...ids].some((id) => term?.records.stored.get(id)?.record.result === undefined);
  }

  /** The Node without what a withheld takeover put on it. */
  #unmarked(node: Node): Node {
    const { taints } = node.spec ?? {};
    const withheld = this.#withheldOn(node.metadata.name);
    if (withheld.length === 0 || taints === undefined) return node;
    const ids = new Set(withheld.map(({ record }) => record.id));
    const others = taints.filter(
      (taint) =>
        !(taint.key === takeoverTaintKey && ids.has(taint.value ?? '')) &&
        !(isOutOfService([taint]) && withheld.some(({ record }) => record.outOfService === true)),
    );
    return { ...node, spec: { ...node.spec, taints: others } };
  }

  /** A takeover that these rules never began deleted the Node: by them it would be there still. */
  #isRemovedByUs({ name }: Extract<Fact, { kind: 'node-gone' }>, { ledger }: World): boolean {
    const uid = ledger.nodes.get(name)?.node.metadata.uid;
    if (this.#observed || uid === undefined) return false;
    const isRemoved = this.#withheldOn(name).some(
      ({ record }) => record.node.uid === uid && record.steps.remove !== undefined,
    );
    if (isRemoved) this.#removed.set(name, uid);
    return isRemoved;
  }

  /** The takeover counts now, and so does what it did to the Node. */
  #goneMeanwhile(name: string, uid: string): readonly Fact[] {
    if (this.#removed.get(name) !== uid) return [];
    this.#removed.delete(name);
    return [{ kind: 'node-gone', name }];
  }

  #withheldOn(name: string): readonly StoredRecord[] {
    return [...this.#withheld.values()].filter(({ record }) => record.node.name === name);
  }

  #reset(): void {
    this.#tookUp = false;
    this.#past.clear();
    this.#withheld.clear();
    this.#work.clear();
    this.#removed.clear();
    this.#begun.clear();
    this.#supposed = new SupposedTakeovers();
  }
}
