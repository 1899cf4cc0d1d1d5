// What a leader knows and does, as a document that it publishes for people: small, bounded, with a version of its own.

import type { Evidence, Health } from '../evidence/judgement.ts';
import type { Decision, NamedVerdict } from '../policy/decision.ts';
import type { FleetNode } from '../policy/fleet-node.ts';
import type { UnreadableRecord } from '../takeover/cluster.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import type { Clock } from '../time/clock.ts';
import { withoutNumbers } from '../wording/numbers.ts';
import { isUnbooted } from './blindness.ts';
import type { IgnoredConfirmation } from './confirmations.ts';
import { type DrillStatus, drillNews } from './drill-status.ts';
import type { NodeTrouble } from './troubles.ts';

/** `unselected`: no policy speaks for the node, so nobody asks how it is. */
export type PublishedHealth = Health | 'unselected';

/** One node as its leader sees it. What only matters for nodes in trouble is absent for the others. */
export interface NodeStatus {
  /** The Node's name. */
  readonly name: string;
  /** Where it stands. */
  readonly health: PublishedHealth;
  /** Name of the policy that counts for it. */
  readonly policy?: string;
  /** How much stands behind that. */
  readonly evidence?: Evidence;
  /** Its machine was heard, so a dead kubelet is all that can be said of it. */
  readonly hostUp?: true;
  /** Its kubelet hangs, as Kubernetes says too: its host may be switched off, where the policy says so. */
  readonly hung?: true;
  /** Why it is not taken for alive. Numbers in them are as old as the document. */
  readonly reasons?: readonly string[];
  /** ISO 8601, wall clock of the leader: since when its heartbeats are missing. */
  readonly silentSince?: string;
  /** What a human who vouches for the death has to name. */
  readonly deathId?: string;
  /** The policy's answer, of a node that is dead and not being taken over. */
  readonly decision?: { readonly action: Decision['action']; readonly verdicts: readonly NamedVerdict[] };
  /** What would hold a takeover even if the node died now: marks on it. Absent beside a decision, which has them all. */
  readonly holds?: readonly string[];
  /** Nothing is decided about it, since the leader does not see; or, where it sees, since its machine never booted. */
  readonly undecided?: true;
  /** A human's word on it from which nothing follows. */
  readonly ignoredConfirmation?: IgnoredConfirmation;
  /** It is being taken over; the record says how far that is. */
  readonly takeover?: true;
  /** It would have been taken over, were its leader not one that only observes. */
  readonly wouldTakeOver?: true;
}

/** What `liberator status` reads. A reader leaves documents of a version that it doesn't know alone. */
export interface StatusDocument {
  /** Of this format. A reader that knows no such version must not guess. */
  readonly version: 1;
  /** ISO 8601, wall clock of the leader. For people. */
  readonly writtenAt: string;
  /** Whoever wrote it only observes: nothing is done by it. Absent: it acts. */
  readonly mode?: 'observe';
  /** Whose knowledge it is. Once the election Lease shows another epoch, it is an old leader's. */
  readonly leader: { readonly identity: string; readonly epoch: number };
  /** Why nothing may be decided; empty when the leader sees. */
  readonly blind: readonly string[];
  /** Why everything is paused, when it is. */
  readonly paused?: string;
  /** What fails again and again, and is tried again. Absent: nothing. */
  readonly troubles?: readonly NodeTrouble[];
  /** Records of takeovers that the leader can't use and has set aside; at most twenty of them. Absent: there are none. */
  readonly setAside?: readonly UnreadableRecord[];
  /** What fencers say that were asked whether they could fence. Absent: none can be asked, or nobody asks. */
  readonly drill?: DrillStatus;
  /** Of all nodes. */
  readonly counts: Readonly<Record<PublishedHealth, number>>;
  /** The worst first, and not all of them in a large cluster. */
  readonly nodes: readonly NodeStatus[];
}

export interface StatusFacts {
  readonly term: Pick<LeaderTerm, 'identity' | 'epoch'>;
  readonly nodes: Iterable<FleetNode>;
  /** The last decision about each node that is dead, by name. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** Names of nodes that are being taken over, by what is on record. */
  readonly takeovers: readonly string[];
  /** Names of nodes that would have been taken over. Absent: whoever leads acts. */
  readonly supposed?: readonly string[];
  /** Whether something would have to be decided about this node, were we not blind. Absent: nobody asks. */
  readonly isUndecided?: (node: FleetNode) => boolean;
  /** What fails again and again, by the node's name. Absent: nothing. */
  readonly troubles?: ReadonlyMap<string, NodeTrouble>;
  readonly blind: readonly string[];
  readonly paused: string | undefined;
  readonly setAside: readonly UnreadableRecord[];
  /** What fencers say that were asked. Absent: none was. */
  readonly drill?: DrillStatus | undefined;
  /** What marks on a node would hold a takeover of it. */
  readonly holdsOn: (node: FleetNode) => readonly string[];
  /** A human's word on a node from which nothing follows. Absent: nobody asks. */
  readonly ignoredConfirmationOn?: (node: FleetNode) => IgnoredConfirmation | undefined;
}

/** Beyond this many nodes only the worst are listed: an object in Kubernetes has an end, and so has a screen. */
const longestList = 200;
const longestSetAside = 20;

const worstFirst: readonly PublishedHealth[] = ['dead', 'suspect', 'returning', 'alive', 'unselected'];

export function describeStatus(facts: StatusFacts, clock: Pick<Clock, 'now' | 'wallTime'>): StatusDocument {
  const counts = { dead: 0, suspect: 0, returning: 0, alive: 0, unselected: 0 };
  const some: Record<PublishedHealth, FleetNode[]> = {
    dead: [],
    suspect: [],
    returning: [],
    alive: [],
    unselected: [],
  };
  for (const node of facts.nodes) {
    const health = node.policy === undefined ? 'unselected' : node.health;
    counts[health] += 1;
    // Of thousands that are equally well, any will do.
    if (some[health].length < longestList) some[health].push(node);
  }
  const listed: NodeStatus[] = [];
  for (const health of worstFirst) {
    const those = some[health].slice(0, longestList - listed.length).toSorted(byName);
    listed.push(...those.map((node) => describeNode(node, health, facts, clock)));
  }
  const troubles = [...(facts.troubles?.values() ?? [])].slice(0, longestList);
  return {
    version: 1,
    writtenAt: new Date(clock.wallTime()).toISOString(),
    ...(facts.supposed && { mode: 'observe' as const }),
    leader: { identity: facts.term.identity, epoch: facts.term.epoch },
    blind: facts.blind,
    ...(facts.paused !== undefined && { paused: facts.paused }),
    ...(troubles.length > 0 && { troubles }),
    ...(facts.drill && { drill: facts.drill }),
    ...(facts.setAside.length > 0 && { setAside: facts.setAside.slice(0, longestSetAside) }),
    counts,
    nodes: listed,
  };
}

function describeNode(
  known: FleetNode,
  health: PublishedHealth,
  facts: StatusFacts,
  clock: Pick<Clock, 'now' | 'wallTime'>,
): NodeStatus {
  const { takeovers, blind, holdsOn } = facts;
  const { node, policy, assessment, deathId } = known;
  const { name } = node.metadata;
  // Of before, when we are blind: none is made then.
  const decision = blind.length === 0 ? facts.decisions.get(name) : undefined;
  const takeover = takeovers.includes(name);
  const holds = decision === undefined ? holdsOn(known) : [];
  const inTrouble = assessment !== undefined && assessment.health !== 'alive';
  const silentSince = assessment?.silentSince;
  const ignored = facts.ignoredConfirmationOn?.(known);
  const undecided =
    inTrouble && (blind.length > 0 || isUnbooted(known)) && facts.isUndecided?.(known) === true;
  return {
    name,
    health,
    ...(policy && { policy: policy.name }),
    ...(inTrouble && { evidence: assessment.evidence, reasons: assessment.reasons }),
    ...(silentSince !== undefined && {
      silentSince: new Date(clock.wallTime() - (clock.now() - silentSince)).toISOString(),
    }),
    ...(inTrouble && assessment.hostUp && { hostUp: true as const }),
    ...(inTrouble && assessment.hungSince !== undefined && { hung: true as const }),
    ...((inTrouble || decision) && { deathId }),
    ...(decision && !takeover && { decision: published(decision) }),
    ...(undecided && { undecided }),
    ...(ignored && { ignoredConfirmation: ignored }),
    ...(holds.length > 0 && { holds }),
    ...(takeover && { takeover }),
    ...(facts.supposed?.includes(name) && { wouldTakeOver: true as const }),
  };
}

/** Without times: those are on the leader's own clock, which tells nobody else anything. */
function published({ action, verdicts }: Decision): NonNullable<NodeStatus['decision']> {
  const named = verdicts.map(({ guard, verdict }): NamedVerdict => {
    if (verdict.outcome === 'pass') return { guard, verdict: { outcome: 'pass' } };
    return { guard, verdict: { outcome: 'hold', reason: verdict.reason } };
  });
  return { action, verdicts: named };
}

const asPeopleCount = new Intl.Collator('en', { numeric: true });

function byName(a: FleetNode, b: FleetNode): number {
  return asPeopleCount.compare(a.node.metadata.name, b.node.metadata.name);
}

/** What of a document is news: the same text for two documents that differ in times and in numbers that count up alone. */
export function newsIn(document: StatusDocument): string {
  const { writtenAt: _, nodes, troubles = [], drill, ...rest } = document;
  return JSON.stringify({
    ...rest,
    drill: drill && drillNews(drill),
    blind: rest.blind.map(withoutNumbers),
    troubles: troubles.map(({ node, act, detail }) => [node, act, withoutNumbers(detail)]),
    nodes: nodes.map(({ silentSince, reasons = [], holds = [], decision, ...node }) => ({
      ...node,
      silent: silentSince !== undefined,
      reasons: reasons.map(withoutNumbers),
      marks: holds.map(withoutNumbers),
      action: decision?.action,
      verdicts: decision?.verdicts.map(({ verdict }) =>
        verdict.outcome === 'hold' ? withoutNumbers(verdict.reason) : '',
      ),
    })),
  });
}

/** Undefined when it isn't a document of a version that is understood. */
export function parseStatus(text: string | undefined): StatusDocument | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return isStatus(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isStatus(value: unknown): value is StatusDocument {
  if (typeof value !== 'object' || value === null) return false;
  const { version, writtenAt, leader, blind, counts, nodes } = value as Partial<StatusDocument>;
  return (
    version === 1 &&
    typeof writtenAt === 'string' &&
    typeof leader?.identity === 'string' &&
    typeof leader.epoch === 'number' &&
    Array.isArray(blind) &&
    typeof counts === 'object' &&
    counts !== null &&
    Array.isArray(nodes)
  );
}
