import type { DecisionChange } from '../controller-events.ts';
import type { ProbeResult } from '../evidence/fact.ts';
import { renewTimeOf } from '../evidence/renew-time.ts';
import type { FenceContext } from '../fencing/fence-context.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import type { FenceResult, Fencer } from '../fencing/fencer.ts';
import type { Node, Taint } from '../kubernetes/objects.ts';
import { Leadership } from '../leadership.ts';
import { builtInGuards } from '../policy/decision.ts';
import type { FleetNode } from '../policy/fleet-node.ts';
import type { Policy } from '../policy/policy.ts';
import { defaultReturnRules } from '../returning/moves.ts';
import type { ReturnProgress } from '../returning/returner.ts';
import type { UnreadableRecord } from '../takeover/cluster.ts';
import type { TakeoverProgress } from '../takeover/executor.ts';
import type { TakeoverRecord } from '../takeover/record.ts';
import type { ConfirmationChange } from '../telling/confirmations.ts';
import type { TroubleChange } from '../telling/troubles.ts';
import type { RenewableTerm } from '../term/leader-term.ts';
import { WorldLoop } from '../world-loop.ts';
import { clusterWithDeadNode, endlessTerm } from './dead-node.ts';
import { anyNode } from './fleet-objects.ts';
import { ManualClock } from './manual-clock.ts';
import type { MemoryCluster } from './memory-cluster.ts';

/** A cluster of four, of which node-1 stops renewing its Lease at 0; one replica watches it, and leads when told to. */
export class LeadershipStory {
  readonly clock: ManualClock = new ManualClock({ turns: 1 });
  readonly cluster: MemoryCluster = clusterWithDeadNode(this.clock);
  readonly loop: WorldLoop;
  readonly decisions: DecisionChange[] = [];
  readonly progress: TakeoverProgress[] = [];
  readonly returns: ReturnProgress[] = [];
  readonly setAside: UnreadableRecord[] = [];
  readonly errors: { where: string; error: unknown }[] = [];
  readonly troubles: TroubleChange[] = [];
  readonly ignored: ConfirmationChange[] = [];
  readonly fenced: string[] = [];
  /** Hosts that are silent to probes, and nodes that no longer renew. */
  readonly silent: Set<string> = new Set(['node-1']);
  readonly asleep: Set<string> = new Set(['node-1']);
  fence: (target: FenceTarget, context: FenceContext) => FenceResult | Promise<FenceResult> = () => ({
    outcome: 'fenced',
    proof: 'powered-off',
    detail: 'off',
  });
  /** What is special about "ipmi". */
  ipmi: Partial<Fencer> = {};
  /** Fencers beside it. */
  more: readonly Fencer[] = [];
  #blind: readonly string[] = [];
  /** What a probe hears of a host that isn't silent. */
  hears: ProbeResult = 'answered';
  /** Why everything is paused. */
  paused: string | undefined;
  /** Whether watches bring anything. */
  watching = true;
  term: RenewableTerm | undefined;
  leading: Leadership | undefined;

  constructor(policy: Partial<Policy> = {}) {
    this.loop = new WorldLoop({
      rules: {
        policies: [{ ...anyNode, ...policy }],
        guards: builtInGuards,
        // Whoever dies here has died: only `blind` says that we do not see.
        sight: { togetherMs: 0, heartbeatIntervalMs: 1e12, renewalEchoMs: 1e12 },
      },
      clock: this.clock,
      perform: (intent) => this.leading?.perform(intent),
      onRefused: (fact, error) => this.errors.push({ where: fact.kind, error }),
      onFailure: (error) => this.errors.push({ where: 'world', error }),
    });
    for (const name of ['node-3', 'node-4']) this.cluster.putNode({ metadata: { name, uid: `uid-${name}` } });
    for (const node of this.cluster.nodes.keys()) {
      this.ready(node);
      if (node !== 'node-1') this.cluster.renew(node, '0');
    }
    this.loop.tell({ kind: 'watches', synced: true, stale: [] });
    this.watch();
    this.hearAll();
    this.loop.wake();
  }

  ready(name: string, status: 'True' | 'Unknown' = 'True'): void {
    this.cluster.changeNode(name, (node) => ({
      ...node,
      status: { ...node.status, conditions: [{ type: 'Ready', status }] },
    }));
  }

  /** The machine boots and its kubelet reports, under the uid that it has or a new one. */
  boot(name: string, bootId: string, uid?: string): void {
    if (uid !== undefined) this.cluster.putNode({ metadata: { name, uid } });
    this.cluster.changeNode(name, (node) => ({
      ...node,
      status: { ...node.status, nodeInfo: { bootID: bootId } },
    }));
    this.ready(name);
    this.silent.delete(name);
    this.asleep.delete(name);
    this.cluster.renew(name, `booted at ${this.clock.now()}`);
  }

  die(name: string): void {
    this.silent.add(name);
    this.asleep.add(name);
  }

  /** An administrator puts a taint on a node. */
  taint(name: string, taint: Taint): void {
    this.cluster.changeNode(name, (node) => ({
      ...node,
      spec: { ...node.spec, taints: [...(node.spec?.taints ?? []), taint] },
    }));
  }

  /** An administrator takes one off. */
  untaint(name: string, key: string): void {
    this.cluster.changeNode(name, (node) => ({
      ...node,
      spec: { ...node.spec, taints: (node.spec?.taints ?? []).filter((taint) => taint.key !== key) },
    }));
  }

  /** Why nothing may be decided. */
  get blind(): readonly string[] {
    return this.#blind;
  }

  set blind(reasons: readonly string[]) {
    this.#blind = reasons;
    this.look();
  }

  lead(epoch: number): this {
    const term = endlessTerm(this.clock, epoch);
    this.term = term;
    this.leading = new Leadership({
      term,
      clock: this.clock,
      world: () => this.loop.world,
      inform: (fact) => this.loop.tell(fact),
      cluster: this.cluster,
      fencers: [
        {
          name: 'ipmi',
          fence: async (target, context) => {
            this.fenced.push(target.deathId);
            return this.fence(target, context);
          },
          ...this.ipmi,
        },
        ...this.more,
      ],
      probe: async ({ metadata: { name } }) => (this.silent.has(name) ? 'silent' : this.hears),
      onDecision: (change) => this.decisions.push(change),
      onProgress: (progress) => this.progress.push(progress),
      returnRules: defaultReturnRules,
      onReturn: (progress) => this.returns.push(progress),
      onTrouble: (change) => this.troubles.push(change),
      onIgnoredConfirmation: (change) => this.ignored.push(change),
      onSetAside: (record) => this.setAside.push(record),
      onError: (where, error) => this.errors.push({ where, error }),
    });
    this.loop.tell({ kind: 'echo', sentAt: this.clock.now() });
    return this;
  }

  /** The leader dies: nothing of its term goes on. */
  async crash(): Promise<this> {
    this.term?.end('it crashed');
    await this.clock.advance(2_000);
    this.leading = undefined;
    this.loop.tell({ kind: 'term-over' });
    return this;
  }

  /** Half a second at a time, as the controller does it. */
  async pass(seconds: number): Promise<this> {
    for (let i = 0; i < seconds * 2; i++) {
      if (this.clock.now() % 10_000 === 0) {
        for (const name of this.cluster.nodes.keys()) {
          if (!this.asleep.has(name)) this.cluster.renew(name, String(this.clock.now()));
        }
      }
      this.watch();
      this.look();
      this.leading?.attendReturns();
      this.leading?.tell(this.blind);
      await this.clock.advance(500);
      if (this.clock.now() % 2_000 === 0) this.probe();
    }
    return this;
  }

  /** The same, a minute at a time, with heartbeats in between: for what takes days. */
  async skip(seconds: number): Promise<this> {
    for (let i = 0; i < seconds / 60; i++) {
      for (const name of this.cluster.nodes.keys()) {
        if (!this.asleep.has(name)) this.cluster.renew(name, String(this.clock.now()));
      }
      this.watch();
      this.leading?.attendReturns();
      await this.clock.advance(60_000);
    }
    return this;
  }

  /** What `blind` and `paused` say becomes known, and with it what everything means. */
  look(): void {
    const { term, paused } = this.loop.world;
    if (term !== undefined && term.unread.join() !== this.blind.join())
      this.loop.tell({ kind: 'unread', what: this.blind });
    if (paused !== this.paused) this.loop.tell({ kind: 'pause', paused: this.paused });
    this.loop.wake();
  }

  watch(): void {
    if (!this.watching) return;
    for (const name of this.nodes.keys())
      if (!this.cluster.nodes.has(name)) this.loop.tell({ kind: 'node-gone', name });
    for (const node of this.cluster.nodes.values()) this.loop.tell({ kind: 'node', node });
    for (const lease of this.cluster.leases.values())
      this.loop.tell({ kind: 'lease', name: lease.metadata.name, renewTime: renewTimeOf(lease) });
  }

  probe(): void {
    for (const { node, assessment } of this.nodes.values()) {
      if (assessment === undefined || assessment.health === 'alive') continue;
      this.#hear(node, this.silent.has(node.metadata.name) ? 'silent' : this.hears);
    }
  }

  /** What the replica knows of each node. */
  get nodes(): ReadonlyMap<string, FleetNode> {
    return new Map(this.loop.world.ledger.nodes);
  }

  /** A probe is answered by the host of each node. */
  hearAll(): void {
    for (const { node } of this.nodes.values()) this.#hear(node, 'answered');
  }

  /** The replica was blind for a moment, and every node gets a whole new grace period. */
  regainSight(): void {
    for (const synced of [false, true]) {
      this.loop.tell({ kind: 'watches', synced, stale: [] });
      this.loop.wake();
    }
  }

  #hear({ metadata: { name, uid } }: Node, result: ProbeResult): void {
    this.loop.tell({ kind: 'probe', name, uid, result });
  }

  get records(): readonly TakeoverRecord[] {
    return [...this.cluster.records.values()].map(({ record }) => record);
  }

  get results(): readonly (string | undefined)[] {
    return this.records.map(({ id, result }) => `${id.replace(/^[0-9a-f]{10}/, 'death')}: ${result}`);
  }

  taints(name = 'node-1'): readonly string[] {
    return this.cluster.taintsOf(name).map(({ key }) => key);
  }

  events(reason: string): readonly string[] {
    return this.cluster.events.filter((event) => event.reason === reason).map(({ message }) => message);
  }
}

export const waiting = (): FenceResult => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });
