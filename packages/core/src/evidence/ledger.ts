// What facts say about nodes: a ledger and a fact go in, another ledger comes out, and its cost is that of the one node which the
// fact is about. Pure.
import type { Node } from '../kubernetes/objects.ts';
import { withAppointment } from './agenda.ts';
import { forgetOld, sawDead, sawGo } from './deaths.ts';
import type { NodeFact, ProbeResult } from './fact.ts';
import { heardOf, hearReady, newHearing } from './hearing.ts';
import { type Assessment, assess, type Health, newNodeState, observe } from './judgement.ts';
import { KnownNode, type Watched } from './known-node.ts';
import { type Ledger, put } from './ledger-state.ts';
import { seeMaintenance } from './maintenance-sight.ts';
import { everPosted, readyStatusOf } from './node-status.ts';
import { endpointsOf, ownerOfAddress } from './reused-address.ts';

/** A node's health changed. Of a node that no policy selects, nothing is told. */
export interface HealthChange {
  /** The Node's name. */
  readonly node: string;
  /** The Node's uid: another one under the same name is another node, and begins as `alive`. */
  readonly uid: string;
  /** Its health before. */
  readonly from: Health;
  /** Its health now: never the same as before. */
  readonly to: Health;
  /** What stands behind it. It may say `dead` where `to` is `suspect`: while we are blind nobody dies. */
  readonly assessment: Assessment;
}

/** Of so many Nodes that went it is known what they were last: a takeover asks for them within its own time. */
const keptGone = 1_000;

/** How a ledger finds the policy of a node with these labels. */
export type PolicyFor<P extends Watched> = (labels: Readonly<Record<string, string>>) => P | undefined;

/** The ledger after one more fact. What it means is found by {@link judge}. */
export function note<P extends Watched>(
  ledger: Ledger<P>,
  fact: NodeFact,
  at: number,
  policyFor: PolicyFor<P>,
): Ledger<P> {
  switch (fact.kind) {
    case 'node':
      return noteNode(ledger, fact.node, at, policyFor);
    case 'node-gone':
      return noteNodeGone(ledger, fact.name, at);
    case 'lease':
      return noteLease(ledger, fact, at);
    case 'lease-gone':
      return noteLeaseGone(ledger, fact.name);
    case 'probe':
      return noteProbe(ledger, fact, at);
  }
}

function noteNode<P extends Watched>(
  ledger: Ledger<P>,
  node: Node,
  at: number,
  policyFor: PolicyFor<P>,
): Ledger<P> {
  const { name, uid, labels } = node.metadata;
  const known = ledger.nodes.get(name);
  const before = known?.node.metadata.uid === uid ? known : undefined;
  const lease = known === undefined ? ledger.orphanLeases.get(name) : known.lease;
  let state = before?.state ?? observe(newNodeState(at), { kind: 'lease', at, renewTime: lease });
  const ready = readyStatusOf(node);
  state = observe(state, { kind: 'ready', at, status: ready, neverPosted: !everPosted(node) });
  const policy = policyFor(labels ?? {});
  const judged = policy === undefined ? undefined : before;
  const next = new KnownNode<P>({
    node,
    state,
    hearing: hearReady(before?.hearing ?? newHearing(at, ready), at, ready),
    policy,
    assessment: judged?.assessment,
    health: judged?.health ?? 'alive',
    maintenance: seeMaintenance(node, before?.maintenance, at),
    lease,
    hostHeard: before?.hostHeard ?? false,
    checkAt: before?.checkAt ?? Number.POSITIVE_INFINITY,
  });
  const others = known !== undefined && before === undefined ? withGone(ledger, known) : ledger;
  const cleared = {
    ...others,
    gone: others.gone.delete(uid),
    orphanLeases: others.orphanLeases.delete(name),
  };
  return put(cleared, known, next, at);
}

function noteNodeGone<P extends Watched>(ledger: Ledger<P>, name: string, at: number): Ledger<P> {
  const known = ledger.nodes.get(name);
  if (known === undefined) return ledger;
  const { deathId, state, lease } = known;
  const death = { node: name, deathId, lastHeartbeat: state.renewTime ?? '' };
  const without = put(withGone(ledger, known), known, undefined, at);
  return {
    ...without,
    deaths: sawGo(without.deaths, death, at),
    orphanLeases: lease === undefined ? without.orphanLeases : without.orphanLeases.set(name, lease),
  };
}

function withGone<P extends Watched>(ledger: Ledger<P>, known: KnownNode<P>): Ledger<P> {
  const { uid } = known.node.metadata;
  const gone = ledger.gone.delete(uid).set(uid, known);
  return { ...ledger, gone: gone.size > keptGone ? gone.delete(gone.keySeq().first('')) : gone };
}

function noteLease<P extends Watched>(
  ledger: Ledger<P>,
  { name, renewTime, listed }: Extract<NodeFact, { kind: 'lease' }>,
  at: number,
): Ledger<P> {
  const heard = { ...ledger, leaseHeardAt: at };
  const known = ledger.nodes.get(name);
  if (known === undefined) {
    return renewTime === undefined
      ? heard
      : { ...heard, orphanLeases: heard.orphanLeases.set(name, renewTime) };
  }
  const { state, hearing, lease } = known;
  const isNews = renewTime !== undefined && renewTime !== state.renewTime;
  const isHeard = isNews && (listed !== true || state.renewTime !== undefined);
  const next = known.with({
    lease: renewTime ?? lease,
    state: observe(state, { kind: 'lease', at, renewTime }),
    ...(isHeard && { hearing: { ...hearing, heardAt: at } }),
  });
  return put(heard, known, next, at);
}

function noteLeaseGone<P extends Watched>(ledger: Ledger<P>, name: string): Ledger<P> {
  const known = ledger.nodes.get(name);
  if (known === undefined) return { ...ledger, orphanLeases: ledger.orphanLeases.delete(name) };
  return { ...ledger, nodes: ledger.nodes.set(name, known.with({ lease: undefined })) };
}

/**
 * Silence counts only where the same kind of probe is known to be answered: by this host before, or by most of the
 * others. A firewall that drops packets is as silent as a dead host.
 */
function noteProbe<P extends Watched>(
  ledger: Ledger<P>,
  { name, uid, result, hostOnly }: Extract<NodeFact, { kind: 'probe' }>,
  at: number,
): Ledger<P> {
  const known = ledger.nodes.get(name);
  if (known === undefined || known.node.metadata.uid !== uid) return ledger;
  const heard = result !== 'silent' && result !== 'failed';
  // Whoever has the address now is another machine: this one is as silent as if nobody had it.
  const others = heard && known.health !== 'alive' && addressOwner(ledger, known) !== undefined;
  const hostHeard = known.hostHeard || (heard && !others);
  // What a host said while its node was well says nothing of the silence that may follow. Nor does what it was asked then: that
  // its kernel accepts is no word about a kubelet that nobody spoke to. Those that are not well are asked anew in a moment.
  if (known.health === 'alive' || (hostOnly === true && result === 'mute')) {
    return hostHeard === known.hostHeard ? ledger : put(ledger, known, known.with({ hostHeard }), at);
  }
  const said: ProbeResult = others ? 'silent' : result;
  const counted = said === 'silent' && !(hostHeard || mostHostsAreHeard(ledger, known)) ? 'failed' : said;
  const state = observe(known.state, { kind: 'probe', at, result: counted });
  return put(ledger, known, known.with({ hostHeard, state }), at);
}

function mostHostsAreHeard<P extends Watched>(ledger: Ledger<P>, but: KnownNode<P>): boolean {
  const heard = ledger.nodes.size - ledger.hostsUnheard.size - (but.hostHeard ? 1 : 0);
  return heard > (ledger.nodes.size - 1) / 2;
}

/** The other node that lives at the address of this one, since after it fell silent; undefined when there is none. */
export function addressOwner<P extends Watched>(
  ledger: Ledger<P>,
  dead: KnownNode<P>,
): KnownNode<P> | undefined {
  const names = [...endpointsOf(dead.node)].flatMap((endpoint) => [
    ...(ledger.addresses.get(endpoint) ?? []),
  ]);
  const neighbours = [...new Set(names)].flatMap((name) => ledger.nodes.get(name) ?? []);
  return ownerOfAddress(dead, neighbours);
}

/** After a time in which we could not see: every node gets a whole new grace period. */
export function regainSight<P extends Watched>(ledger: Ledger<P>, at: number): Ledger<P> {
  const nodes = ledger.nodes.map((known) =>
    known.with({ state: observe(known.state, { kind: 'sight-regained', at }) }),
  );
  return { ...ledger, nodes };
}

/** What has to be known besides a node itself to say where it stands. */
export interface Circumstances {
  /**
   * While we are blind nobody dies: what would be called death then stays a suspicion, until we see again and every node has
   * had a new grace period.
   */
  readonly blind: boolean;
  /** It was taken over and isn't trusted again yet. */
  readonly returning: boolean;
  /** For how long a node may be silent before its silence is one. */
  readonly silentAfterMs: number;
}

export interface Judged<P extends Watched> {
  readonly ledger: Ledger<P>;
  /** Undefined when its health is what it was. */
  readonly change?: HealthChange;
  /** Something that a policy decides by is another than before. */
  readonly stirred: boolean;
}

/** Says where a node stands at this moment, and when it has to be looked at again. */
export function judge<P extends Watched>(
  ledger: Ledger<P>,
  name: string,
  now: number,
  { blind, returning, silentAfterMs }: Circumstances,
): Judged<P> {
  const known = ledger.nodes.get(name);
  if (known === undefined) return { ledger, stirred: false };
  if (known.policy === undefined) {
    const listening = withSilence(ledger, known, now, silentAfterMs);
    return { ledger: withCheck(listening, known, nextSilence(known, now, silentAfterMs)), stirred: false };
  }
  const { state, assessment } = assess(known.state, now, known.policy.detection);
  const withheld = blind && assessment.health === 'dead' && known.health !== 'dead';
  const health: Health =
    assessment.health === 'alive' && returning ? 'returning' : withheld ? 'suspect' : assessment.health;
  const next = known.with({ state, assessment, health });
  const listening = withSilence(put(ledger, known, next, now), next, now, silentAfterMs);
  const checkAt = Math.min(assessment.nextCheckAt ?? Infinity, nextSilence(next, now, silentAfterMs));
  let after = withCheck(listening, next, checkAt);
  const proven = assessment.evidence === 'proven';
  // A host that was heard is up: whoever calls its node dead all the same is mistaken, unless it is proven.
  if (health === 'dead' && (proven || !assessment.hostUp)) {
    const death = { node: name, deathId: next.deathId, lastHeartbeat: state.renewTime ?? '', proven };
    after = { ...after, deaths: sawDead(after.deaths, death, now) };
  }
  const stirred = isStirred(known, next);
  if (health === known.health) return { ledger: after, stirred };
  const { uid } = known.node.metadata;
  const change = { node: name, uid, from: known.health, to: health, assessment };
  return { ledger: after, stirred: true, change };
}

function isStirred(before: FleetStanding, after: FleetStanding): boolean {
  return (
    before.health !== after.health ||
    before.assessment?.evidence !== after.assessment?.evidence ||
    before.assessment?.hostUp !== after.assessment?.hostUp ||
    (before.assessment?.silentSince === undefined) !== (after.assessment?.silentSince === undefined) ||
    before.assessment?.hungSince !== after.assessment?.hungSince
  );
}

interface FleetStanding {
  readonly health: Health;
  readonly assessment: Assessment | undefined;
}

/** From when a node's silence is one, if it stays silent. */
function silenceFrom<P extends Watched>(known: KnownNode<P>, silentAfterMs: number): number {
  const heard = heardOf(known);
  return typeof heard === 'number' ? heard + silentAfterMs : Infinity;
}

/** When a node becomes silent if it stays as it is; `Infinity` when that is not to come, or has been. */
function nextSilence<P extends Watched>(known: KnownNode<P>, now: number, silentAfterMs: number): number {
  const silentAt = silenceFrom(known, silentAfterMs);
  return silentAt > now ? silentAt : Infinity;
}

/** The ledger in which a node that is silent at this moment counts as such. */
function withSilence<P extends Watched>(
  ledger: Ledger<P>,
  known: KnownNode<P>,
  now: number,
  silentAfterMs: number,
): Ledger<P> {
  const heard = heardOf(known);
  if (typeof heard !== 'number' || now - heard < silentAfterMs) return ledger;
  return { ...ledger, silent: ledger.silent.set(known.node.metadata.name, heard) };
}

/** Whether a node that was just heard will be looked at before, or when, it may be silent again. */
export function isSeenInTime<P extends Watched>(known: KnownNode<P>, silentAfterMs: number): boolean {
  return known.checkAt < Infinity && known.checkAt <= silenceFrom(known, silentAfterMs);
}

function withCheck<P extends Watched>(ledger: Ledger<P>, known: KnownNode<P>, at: number): Ledger<P> {
  if (at >= known.checkAt) return ledger;
  const { name } = known.node.metadata;
  return {
    ...ledger,
    nodes: ledger.nodes.set(name, known.with({ checkAt: at })),
    agenda: withAppointment(ledger.agenda, { at, name }),
  };
}

/** The ledger in which a node is looked at again at this time, if not before. */
export function arrange<P extends Watched>(ledger: Ledger<P>, name: string, at: number): Ledger<P> {
  const known = ledger.nodes.get(name);
  return known === undefined ? ledger : withCheck(ledger, known, at);
}

/** A node as it was known once, to be looked at at once: what that means is found as for any other. */
export function remember<P extends Watched>(ledger: Ledger<P>, known: KnownNode<P>, at: number): Ledger<P> {
  const there = put(ledger, undefined, known, at);
  return withCheck(there, there.nodes.get(known.node.metadata.name) ?? known, at);
}

/** The ledger when this node's time has come: nothing is arranged for it any more, and if it is silent it counts as such. */
export function keepAppointment<P extends Watched>(
  ledger: Ledger<P>,
  name: string,
  now: number,
  silentAfterMs: number,
): Ledger<P> {
  const known = ledger.nodes.get(name);
  if (known === undefined) return ledger;
  const listening = withSilence(ledger, known, now, silentAfterMs);
  return { ...listening, nodes: listening.nodes.set(name, known.with({ checkAt: Infinity })) };
}

/** Without deaths that no budget may ask for any more. */
export function forgetOldDeaths<P extends Watched>(
  ledger: Ledger<P>,
  keepMs: number,
  now: number,
): Ledger<P> {
  if (ledger.deaths.isEmpty()) return ledger;
  const deaths = forgetOld(ledger.deaths, keepMs, now);
  return deaths.size === ledger.deaths.size ? ledger : { ...ledger, deaths };
}
