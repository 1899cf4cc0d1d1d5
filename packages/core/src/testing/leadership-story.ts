import type { DecisionChange } from '../controller-events.ts';
import type { ProbeResult } from '../evidence/fact.ts';
import { Fleet } from '../evidence/fleet.ts';
import type { FenceContext } from '../fencing/fence-context.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import type { FenceResult } from '../fencing/fencer.ts';
import type { Taint } from '../kubernetes/objects.ts';
import { Leadership } from '../leadership.ts';
import { builtInGuards } from '../policy/decision.ts';
import type { Policy } from '../policy/policy.ts';
import { defaultReturnRules } from '../returning/moves.ts';
import type { ReturnProgress } from '../returning/returner.ts';
import type { UnreadableRecord } from '../takeover/cluster.ts';
import type { TakeoverProgress } from '../takeover/executor.ts';
import type { TakeoverRecord } from '../takeover/record.ts';
import type { ConfirmationChange } from '../telling/confirmations.ts';
import type { TroubleChange } from '../telling/troubles.ts';
import type { RenewableTerm } from '../term/leader-term.ts';
import { clusterWithDeadNode, endlessTerm } from './dead-node.ts';
import { anyNode } from './fleet-objects.ts';
import { ManualClock } from './manual-clock.ts';
import type { MemoryCluster } from './memory-cluster.ts';

/** A cluster of four, of which node-1 stops renewing its Lease at 0; one replica watches it, and leads when told to. */
export class LeadershipStory {
  readonly clock: ManualClock = new ManualClock({ turns: 1 });
  readonly cluster: MemoryCluster = clusterWithDeadNode(this.clock);
  readonly fleet: Fleet;
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
  blind: readonly string[] = [];
  /** What a probe hears of a host that isn't silent. */
  hears: ProbeResult = 'answered';
  /** Why everything is paused. */
  paused: string | undefined;
  /** Whether watches bring anything. */
  watching = true;
  term: RenewableTerm | undefined;
  leading: Leadership | undefined;

  constructor(policy: Partial<Policy> = {}) {
    this.fleet = new Fleet({
      clock: this.clock,
      policies: [{ ...anyNode, ...policy }],
      onHealthChange: () => {},
    });
    for (const name of ['node-3', 'node-4']) this.cluster.putNode({ metadata: { name, uid: `uid-${name}` } });
    for (const node of this.cluster.nodes.keys()) {
      this.ready(node);
      if (node !== 'node-1') this.cluster.renew(node, '0');
    }
    this.watch();
    for (const { node } of this.fleet.nodes.values())
      this.fleet.probed(node.metadata.name, node.metadata.uid, 'answered');
    this.fleet.sightRegained();
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

  lead(epoch: number): this {
    const term = endlessTerm(this.clock, epoch);
    this.term = term;
    this.leading = new Leadership({
      term,
      clock: this.clock,
      fleet: this.fleet,
      cluster: this.cluster,
      fencers: [
        {
          name: 'ipmi',
          fence: async (target, context) => {
            this.fenced.push(target.deathId);
            return this.fence(target, context);
          },
        },
      ],
      probe: async ({ metadata: { name } }) => (this.silent.has(name) ? 'silent' : this.hears),
      guards: builtInGuards,
      fleetFacts: (dead) => ({ nodes: this.fleet.nodes.size, dead, blind: this.blind, paused: this.paused }),
      onDecision: (change) => this.decisions.push(change),
      onProgress: (progress) => this.progress.push(progress),
      returnRules: defaultReturnRules,
      onReturn: (progress) => this.returns.push(progress),
      onTrouble: (change) => this.troubles.push(change),
      onIgnoredConfirmation: (change) => this.ignored.push(change),
      onSetAside: (record) => this.setAside.push(record),
      onError: (where, error) => this.errors.push({ where, error }),
    });
    return this;
  }

  /** The leader dies: nothing of its term goes on. */
  async crash(): Promise<this> {
    this.term?.end('it crashed');
    await this.clock.advance(2_000);
    this.leading = undefined;
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
      this.fleet.assess();
      if (this.blind.length === 0) this.leading?.evaluate();
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

  watch(): void {
    if (!this.watching) return;
    for (const name of this.fleet.nodes.keys()) if (!this.cluster.nodes.has(name)) this.fleet.nodeGone(name);
    for (const node of this.cluster.nodes.values()) this.fleet.nodeSeen(node);
    for (const lease of this.cluster.leases.values()) this.fleet.leaseSeen(lease);
  }

  probe(): void {
    for (const { node, assessment } of this.fleet.nodes.values()) {
      const { name, uid } = node.metadata;
      if (assessment !== undefined && assessment.health !== 'alive')
        this.fleet.probed(name, uid, this.silent.has(name) ? 'silent' : this.hears);
    }
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
