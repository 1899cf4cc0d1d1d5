// A ledger as tests talk to it: each thing that a watch or a probe may bring is a call, and all nodes are judged at once.
import type { SeenDeath } from '../evidence/deaths.ts';
import type { ProbeResult } from '../evidence/fact.ts';
import { heardOf, type UnheardNode } from '../evidence/hearing.ts';
import type { KnownNode } from '../evidence/known-node.ts';
import { forgetOldDeaths, type HealthChange, judge, note, regainSight } from '../evidence/ledger.ts';
import { type Ledger, newLedger } from '../evidence/ledger-state.ts';
import { renewTimeOf } from '../evidence/renew-time.ts';
import { defaultSightRules, silentAfterMs } from '../evidence/sight.ts';
import type { Lease, Node } from '../kubernetes/objects.ts';
import { selects } from '../policy/node-selector.ts';
import { defaultBudget, type Policy } from '../policy/policy.ts';
import type { Clock } from '../time/clock.ts';

export class Fleet {
  readonly #clock: Clock;
  readonly #policies: readonly Policy[];
  readonly #onHealthChange: (change: HealthChange) => void;
  #returning: ReadonlySet<string> = new Set();
  ledger: Ledger<Policy>;

  constructor(options: {
    readonly clock: Clock;
    readonly policies: readonly Policy[];
    readonly onHealthChange: (change: HealthChange) => void;
  }) {
    this.#clock = options.clock;
    this.#policies = options.policies;
    this.#onHealthChange = options.onHealthChange;
    this.ledger = newLedger(options.clock.now());
  }

  get nodes(): ReadonlyMap<string, KnownNode<Policy>> {
    return new Map(this.ledger.nodes);
  }

  get deaths(): { of(node: string): SeenDeath | undefined } {
    return { of: (node) => this.ledger.deaths.get(node) };
  }

  /** When each node that was heard was last heard, and which of them never were. */
  get hearing(): { readonly heartbeats: readonly number[]; readonly unheard: readonly UnheardNode[] } {
    const all = [...this.ledger.nodes.values()].map(heardOf);
    return {
      heartbeats: all.flatMap((heard) =>
        heard === 'now' ? [this.#clock.now()] : typeof heard === 'number' ? [heard] : [],
      ),
      unheard: all.flatMap((heard) => (typeof heard === 'object' ? [heard] : [])),
    };
  }

  nodeSeen(node: Node): void {
    this.#note({ kind: 'node', node });
  }

  nodeGone(name: string): void {
    this.#note({ kind: 'node-gone', name });
  }

  leaseSeen(lease: Lease, { listed = false }: { readonly listed?: boolean } = {}): void {
    const { name } = lease.metadata;
    this.#note({ kind: 'lease', name, renewTime: renewTimeOf(lease), ...(listed && { listed }) });
  }

  leaseGone(name: string): void {
    this.#note({ kind: 'lease-gone', name });
  }

  probed(name: string, uid: string, result: ProbeResult, hostOnly: true | undefined = undefined): void {
    this.#note({ kind: 'probe', name, uid, result, ...(hostOnly && { hostOnly }) });
  }

  /** Whether the host of this Node was ever heard by a probe of ours. */
  heard(uid: string): boolean {
    return this.ledger.nodes.some(({ node, hostHeard }) => node.metadata.uid === uid && hostHeard);
  }

  sightRegained(): void {
    this.ledger = regainSight(this.ledger, this.#clock.now());
  }

  setReturning(names: ReadonlySet<string>): void {
    this.#returning = names;
  }

  assess({ blind = false }: { readonly blind?: boolean } = {}): void {
    const now = this.#clock.now();
    const windows = this.#policies.map(({ budget }) => budget.windowMs ?? defaultBudget.windowMs);
    this.ledger = forgetOldDeaths(this.ledger, Math.max(0, ...windows), now);
    for (const name of this.ledger.nodes.keys()) {
      const { ledger, change } = judge(this.ledger, name, now, {
        blind,
        returning: this.#returning.has(name),
        silentAfterMs: silentAfterMs(defaultSightRules),
      });
      this.ledger = ledger;
      if (change !== undefined) this.#onHealthChange(change);
    }
  }

  #note(fact: Parameters<typeof note>[1]): void {
    this.ledger = note(this.ledger, fact, this.#clock.now(), (labels) =>
      this.#policies.find(({ nodes }) => selects(nodes, labels)),
    );
  }
}
