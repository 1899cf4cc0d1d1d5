// What is known of all nodes: turns what the watches bring into observations, and observations into health.

import type { Lease, Node } from '../kubernetes/objects.ts';
import { confirmedByHuman } from '../marks/confirmed.ts';
import { takeoverTaintKey } from '../marks/taints.ts';
import { selects } from '../policy/node-selector.ts';
import { defaultBudget, type Policy } from '../policy/policy.ts';
import type { Clock } from '../time/clock.ts';
import { deathIdOf, heartbeatWithoutLease } from './death-id.ts';
import { DeathMemory } from './death-memory.ts';
import type { ProbeResult } from './fact.ts';
import { type Hearing, heardOf, hearReady, newHearing } from './hearing.ts';
import {
  type Assessment,
  assess,
  type Health,
  type NodeState,
  neverBooted,
  newNodeState,
  observe,
} from './judgement.ts';
import { type MaintenanceSight, seeMaintenance } from './maintenance-sight.ts';
import { renewTimeOf } from './renew-time.ts';
import { ownerOfAddress } from './reused-address.ts';
import type { UnheardNode } from './sight.ts';
import { everPosted, readyStatusOf } from './witnesses/node-projection.ts';

/** One node as the fleet knows it. */
export interface FleetNode {
  /** The Node as last seen, cut down to what is used. */
  readonly node: Node;
  /** What is remembered about it. */
  readonly state: NodeState;
  /** The policy that counts for it; undefined when none selects it, and then it is left alone. */
  readonly policy: Policy | undefined;
  /** Undefined when no policy selects the node: then nobody asks. */
  readonly assessment: Assessment | undefined;
  /** What the assessment says, or `returning` for a live node that was taken over and isn't trusted again yet. */
  readonly health: Health;
  /** The id that its death has, or would have now. */
  readonly deathId: string;
  /** Somebody's work on it, as long as it is cordoned for that. */
  readonly maintenance: MaintenanceSight | undefined;
}

/** A node's health changed. */
export interface HealthChange {
  /** The Node's name. */
  readonly node: string;
  /** The Node's uid. */
  readonly uid: string;
  /** Its health before. */
  readonly from: Health;
  /** Its health now. */
  readonly to: Health;
  /** What stands behind it. */
  readonly assessment: Assessment;
}

/** Of so many Nodes that went it is known what they were last: a takeover asks for them within its own time. */
const keptGone = 1_000;

/**
 * Keeps one {@link NodeState} per Node object, by uid: a node that registers anew under an old name is another node.
 * Every replica keeps one, leader or not, so that a new leader knows the past already.
 */
export class Fleet {
  readonly #clock: Clock;
  readonly #policies: readonly Policy[];
  readonly #onHealthChange: (change: HealthChange) => void;
  readonly #nodes = new Map<string, FleetNode>();
  readonly #renewTimes = new Map<string, string>();
  /** By uid, Nodes that went, as they were last seen; from the one that went first to the one that went last. */
  readonly #gone = new Map<string, FleetNode>();
  /** By uid, whose hosts a probe of ours has heard at least once. */
  readonly #heard = new Set<string>();
  /** By uid, what was heard of each node itself. */
  readonly #hearing = new Map<string, Hearing>();
  #returning: ReadonlySet<string> = new Set();
  /** Who died since this replica began to watch, for as long as any policy's budget may ask. */
  readonly deaths: DeathMemory;
  /** Monotonic time since when this replica has watched. */
  readonly watchedSince: number;

  constructor(options: {
    clock: Clock;
    policies: readonly Policy[];
    onHealthChange: (change: HealthChange) => void;
  }) {
    this.#clock = options.clock;
    this.#policies = options.policies;
    this.#onHealthChange = options.onHealthChange;
    this.watchedSince = options.clock.now();
    const windows = options.policies.map(({ budget }) => budget.windowMs ?? defaultBudget.windowMs);
    this.deaths = new DeathMemory(Math.max(0, ...windows));
  }

  get nodes(): ReadonlyMap<string, FleetNode> {
    return this.#nodes;
  }

  /**
   * When each node that may be heard was last heard, and which of them never were. A node that is taken over and was never
   * heard by us fell silent before we came. Times of blindness change nothing here: who was heard last
   * before one has to be heard again. One whose death somebody vouches for takes no part either: its silence has a cause that
   * is not us.
   */
  get hearing(): { readonly heartbeats: readonly number[]; readonly unheard: readonly UnheardNode[] } {
    const now = this.#clock.now();
    const heartbeats: number[] = [];
    const unheard: UnheardNode[] = [];
    for (const { node, state } of this.#nodes.values()) {
      const hearing = this.#hearing.get(node.metadata.uid);
      if (hearing === undefined) continue;
      // One that we heard before it was taken over fell silent with the rest, if the rest does now.
      const isTakenOver = node.spec?.taints?.some(({ key }) => key === takeoverTaintKey) ?? false;
      if (isTakenOver && hearing.heardAt === undefined) continue;
      if (state.proof !== undefined) continue;
      if (neverBooted(state) || (!state.hadLease && state.ready === 'absent')) continue;
      const heard = heardOf(hearing, { hadLease: state.hadLease, now });
      if (typeof heard === 'number') heartbeats.push(heard);
      else unheard.push(heard);
    }
    return { heartbeats, unheard };
  }

  /** A Node that went, or made way for another of its name, as it was last seen; undefined while it is there, and if it never was. */
  lastSeen(uid: string): FleetNode | undefined {
    return this.#gone.get(uid);
  }

  /** The one that counts for a node with these labels. */
  policyFor(labels: Readonly<Record<string, string>>): Policy | undefined {
    return this.#policies.find((candidate) => selects(candidate.nodes, labels));
  }

  nodeSeen(node: Node): void {
    const { name, uid, labels } = node.metadata;
    const at = this.#clock.now();
    const known = this.#nodes.get(name);
    const same = known !== undefined && known.node.metadata.uid === uid;
    this.#gone.delete(uid);
    let state = same ? known.state : newNodeState(at);
    if (!same) state = observe(state, { kind: 'lease', at, renewTime: this.#renewTimes.get(name) });
    const ready = readyStatusOf(node);
    state = observe(state, { kind: 'ready', at, status: ready, neverPosted: !everPosted(node) });
    if (known !== undefined && !same) this.#forget(known);
    this.#hearing.set(uid, hearReady(this.#hearing.get(uid) ?? newHearing(at, ready), at, ready));
    const policy = this.policyFor(labels ?? {});
    const judged = same && policy !== undefined;
    const { assessment, health } = judged ? known : { assessment: undefined, health: 'alive' as const };
    const maintenance = seeMaintenance(node, same ? known.maintenance : undefined, at);
    this.#put({ node, state, policy, assessment, health, maintenance, deathId: '' });
  }

  nodeGone(name: string): void {
    const known = this.#nodes.get(name);
    this.#nodes.delete(name);
    if (known === undefined) return;
    this.#forget(known);
    const { deathId, state } = known;
    this.deaths.sawGo({ node: name, deathId, lastHeartbeat: state.renewTime ?? '' }, this.#clock.now());
  }

  #forget(known: FleetNode): void {
    const { uid } = known.node.metadata;
    this.#heard.delete(uid);
    this.#hearing.delete(uid);
    this.#gone.delete(uid);
    this.#gone.set(uid, known);
    const [oldest] = this.#gone.keys();
    if (this.#gone.size > keptGone && oldest !== undefined) this.#gone.delete(oldest);
  }

  /**
   * @param options.listed it was there when we began to look, so that nobody knows how old its last renewal is. Default
   *   false: somebody just wrote it.
   */
  leaseSeen(lease: Lease, { listed = false }: { readonly listed?: boolean } = {}): void {
    const { name } = lease.metadata;
    const renewTime = renewTimeOf(lease);
    if (renewTime !== undefined) this.#renewTimes.set(name, renewTime);
    const known = this.#nodes.get(name);
    if (known === undefined) return;
    const at = this.#clock.now();
    const { uid } = known.node.metadata;
    const hearing = this.#hearing.get(uid);
    const isNews = renewTime !== undefined && renewTime !== known.state.renewTime;
    if (hearing !== undefined && isNews && (!listed || known.state.renewTime !== undefined)) {
      this.#hearing.set(uid, { ...hearing, heardAt: at });
    }
    this.#put({ ...known, state: observe(known.state, { kind: 'lease', at, renewTime }) });
  }

  leaseGone(name: string): void {
    this.#renewTimes.delete(name);
  }

  /**
   * Silence counts only where the same kind of probe is known to be answered: by this host before, or by most of the
   * others. A firewall that drops packets is as silent as a dead host.
   */
  probed(name: string, uid: string, answer: ProbeResult): void {
    const known = this.#nodes.get(name);
    if (known === undefined || known.node.metadata.uid !== uid) return;
    const heard = answer !== 'silent' && answer !== 'failed';
    // Whoever has the address now is another machine: this one is as silent as if nobody had it.
    const others = heard && known.health !== 'alive' && ownerOfAddress(known, this.#nodes.values());
    if (heard && !others) this.#heard.add(uid);
    // What a host said while its node was well says nothing of the silence that may follow.
    if (known.health === 'alive') return;
    const said = others ? 'silent' : answer;
    const result = said === 'silent' && !this.#probesWorkFor(uid) ? 'failed' : said;
    this.#put({ ...known, state: observe(known.state, { kind: 'probe', at: this.#clock.now(), result }) });
  }

  /** Whether the host of this Node was ever heard by a probe of ours. */
  heard(uid: string): boolean {
    return this.#heard.has(uid);
  }

  #probesWorkFor(uid: string): boolean {
    if (this.#heard.has(uid)) return true;
    const others = [...this.#nodes.values()].filter(({ node }) => node.metadata.uid !== uid);
    const heard = others.filter(({ node }) => this.#heard.has(node.metadata.uid)).length;
    return heard > others.length / 2;
  }

  /** After a time in which we could not see: every node gets a whole new grace period. */
  sightRegained(): void {
    const at = this.#clock.now();
    for (const known of [...this.#nodes.values()]) {
      this.#put({ ...known, state: observe(known.state, { kind: 'sight-regained', at }) });
    }
  }

  /** Which nodes were taken over and are there again. Known to the leader alone, from its records. */
  setReturning(names: ReadonlySet<string>): void {
    this.#returning = names;
  }

  /**
   * Assesses every node at this moment, and reports whose health changed. While we are `blind` nobody dies: what would be
   * called death then stays a suspicion, until we see again and every node has had a new grace period.
   */
  assess({ blind = false }: { readonly blind?: boolean } = {}): void {
    const now = this.#clock.now();
    this.deaths.forgetOld(now);
    for (const [name, known] of this.#nodes) {
      if (known.policy === undefined) continue;
      const { state, assessment } = assess(known.state, now, known.policy.detection);
      const returning = assessment.health === 'alive' && this.#returning.has(name);
      const withheld = blind && assessment.health === 'dead' && known.health !== 'dead';
      const health = returning ? 'returning' : withheld ? 'suspect' : assessment.health;
      this.#nodes.set(name, { ...known, state, assessment, health });
      const proven = assessment.evidence === 'proven';
      // A host that was heard is up: whoever calls its node dead all the same is mistaken, unless it is proven.
      if (health === 'dead' && (proven || !assessment.hostUp)) {
        const { deathId } = known;
        this.deaths.sawDead({ node: name, deathId, lastHeartbeat: state.renewTime ?? '', proven }, now);
      }
      if (health !== known.health) {
        const { uid } = known.node.metadata;
        this.#onHealthChange({ node: name, uid, from: known.health, to: health, assessment });
      }
    }
  }

  #put(next: Omit<FleetNode, 'deathId'> & { deathId: string }): void {
    const { name, uid, annotations } = next.node.metadata;
    const { renewTime, ready } = next.state;
    this.deaths.sawNode(name, { renewTime, ready: ready === 'True' });
    const deathId = deathIdOf(uid, renewTime ?? heartbeatWithoutLease(next.node));
    // A confirmation names one death. When the heart beats again, the death and with it the confirmation is void.
    const confirmed = confirmedByHuman(annotations, deathId);
    const at = this.#clock.now();
    const state =
      confirmed === (next.state.proof !== undefined)
        ? next.state
        : observe(
            next.state,
            confirmed ? { kind: 'proof', at, by: 'a human' } : { kind: 'proof-withdrawn', at },
          );
    this.#nodes.set(name, { ...next, state, deathId });
  }
}
