// Everything that `liberator status` tells, put together from what the cluster holds. Pure.
import {
  confirmCommand,
  type Lease,
  type NodeStatus,
  type NodeTrouble,
  type StatusDocument,
  type TakeoverRecord,
  type UnreadableRecord,
} from '@liberator/core';
import { summaryOf, type TakeoverSummary } from '../takeovers/summary.ts';
import { between } from '../text/time.ts';

/** Who leads, as the election Lease shows it. */
export interface ElectionView {
  /** Empty: nobody. */
  readonly leader: string;
  readonly epoch: number;
  /** ISO 8601, wall clock of the leader. */
  readonly since: string;
  readonly renewedAt: string;
  /** It should have been renewed by now, if the clock here and that of the leader agree. */
  readonly expired: boolean;
}

/**
 * What the published status is worth.
 *
 * - `current`: whoever leads now wrote it, and has nothing newer to tell.
 * - `outdated`: an earlier leader wrote it, or the one that leads stopped writing.
 * - `none`: there is none that is understood.
 */
type Knowledge = 'current' | 'outdated' | 'none';

export interface NodeView extends NodeStatus {
  /** What a human runs who has made sure that the machine is off, where that would help. */
  readonly confirm?: string;
}

export interface NodeReadiness {
  readonly name: string;
  /** Status of the Ready condition. */
  readonly ready: string;
}

/** What `-o json` prints. */
export interface StatusView {
  readonly version: 1;
  readonly at: string;
  readonly election: ElectionView | undefined;
  readonly knowledge: Knowledge;
  /** Why it isn't current. */
  readonly outdated?: string;
  readonly writtenAt?: string;
  /** Whoever leads only observes. */
  readonly mode?: 'observe';
  readonly blind: readonly string[];
  readonly paused?: string;
  /** What fails again and again. */
  readonly troubles: readonly NodeTrouble[];
  readonly counts?: StatusDocument['counts'];
  /** What fencers say that are asked whether they could fence. */
  readonly drill?: StatusDocument['drill'];
  readonly nodes: readonly NodeView[];
  /** Where there is no status: what Kubernetes thinks of its nodes. */
  readonly readiness?: readonly NodeReadiness[];
  /** The newest first; those that run before those that are over. */
  readonly takeovers: readonly TakeoverSummary[];
  /** Records that can't be used, and that every leader sets aside. */
  readonly setAside: readonly UnreadableRecord[];
}

export interface StatusSources {
  /** Where all of it lies. */
  readonly namespace: string;
  readonly lease: Lease | undefined;
  readonly document: StatusDocument | undefined;
  readonly records: readonly TakeoverRecord[];
  /** What lies beside them and can't be used. */
  readonly setAside?: readonly UnreadableRecord[];
  /** Only asked for where there is no document. */
  readonly readiness?: readonly NodeReadiness[];
}

/** A leader writes at least every half minute; twice missed may be a busy API server, more is not. */
const longestSilenceMs = 90_000;

/** The guards that the word of a human satisfies: a death that is proven needs no budget either. */
const satisfiedByWord: ReadonlySet<string> = new Set(['evidence', 'budget']);

/** @param now ISO 8601, by the clock here */
export function viewStatus(sources: StatusSources, now: string): StatusView {
  const { namespace, lease, document, records, readiness, setAside = [] } = sources;
  const election = lease && viewElection(lease, now);
  const outdated = document && whyOutdated(document, election);
  const summaries = records.map((record) => summaryOf(record, now, namespace));
  return {
    version: 1,
    at: now,
    election,
    knowledge: document === undefined ? 'none' : outdated === undefined ? 'current' : 'outdated',
    ...(outdated !== undefined && { outdated }),
    ...(document && { writtenAt: document.writtenAt, counts: document.counts }),
    ...(document?.paused !== undefined && { paused: document.paused }),
    ...(document?.mode && { mode: document.mode }),
    ...(document?.drill && { drill: document.drill }),
    blind: document?.blind ?? [],
    troubles: document?.troubles ?? [],
    nodes: (document?.nodes ?? []).map(viewNode),
    ...(document === undefined && readiness && { readiness }),
    takeovers: [
      ...summaries.filter(({ running }) => running),
      ...summaries.filter(({ running }) => !running),
    ],
    setAside,
  };
}

function viewElection({ spec = {} }: Lease, now: string): ElectionView {
  const { holderIdentity, leaseTransitions, leaseDurationSeconds, acquireTime, renewTime } = spec;
  const renewedAt = renewTime ?? '';
  return {
    leader: holderIdentity ?? '',
    epoch: leaseTransitions ?? 0,
    since: acquireTime ?? '',
    renewedAt,
    expired: between(renewedAt, now) > (leaseDurationSeconds ?? 0) * 1_000,
  };
}

/** Undefined while the document says what its writer knows now. */
function whyOutdated(
  { leader, writtenAt }: StatusDocument,
  election: ElectionView | undefined,
): string | undefined {
  if (election === undefined || election.leader === '') {
    return `it is what ${leader.identity} knew, which led last`;
  }
  if (election.epoch !== leader.epoch) {
    return `it is what ${leader.identity} knew in epoch ${leader.epoch}; the leader of now has not told yet`;
  }
  if (election.expired) return `it is what ${leader.identity} knew, which renews its Lease no longer`;
  // Both times were written by one and the same clock.
  return between(writtenAt, election.renewedAt) > longestSilenceMs
    ? `${leader.identity} renews its Lease, but tells nothing any more: its log says why`
    : undefined;
}

function viewNode(node: NodeStatus): NodeView {
  const lacksEvidence = node.decision?.verdicts.some(
    ({ guard, verdict }) => satisfiedByWord.has(guard) && verdict.outcome === 'hold',
  );
  // Who is vouched for no longer counts among those that fell silent.
  const helps = (lacksEvidence === true || node.undecided === true) && node.deathId !== undefined;
  return helps ? { ...node, confirm: confirmCommand(node.name, node.deathId) } : node;
}

/** What of a view is news: the same text for two views that differ in times that go by alone. */
export function newsInView(view: StatusView): string {
  const { at: _at, writtenAt: _writtenAt, election, nodes, takeovers, troubles, drill, ...rest } = view;
  return JSON.stringify({
    ...rest,
    election: election && [election.leader, election.epoch, election.expired],
    troubles: troubles.map(({ node, act }) => [node, act]),
    drill: drill && [
      drill.policies,
      drill.attention.map(({ node, fencer, problem }) => [node, fencer, problem?.detail]),
    ],
    nodes: nodes.map(
      ({
        name,
        health,
        policy,
        evidence,
        takeover,
        wouldTakeOver,
        holds,
        decision,
        undecided,
        ignoredConfirmation,
      }) => ({
        wouldTakeOver,
        undecided,
        ignored: ignoredConfirmation?.names,
        name,
        health,
        policy,
        evidence,
        takeover,
        holds: holds?.length,
        guards: decision?.verdicts.flatMap(({ guard, verdict }) =>
          verdict.outcome === 'hold' ? [guard] : [],
        ),
      }),
    ),
    takeovers: takeovers.map(({ id, state, leader, proof, climb = [] }) => [
      id,
      state,
      leader,
      proof,
      climb.find((rung) => rung.state === 'asked')?.fencer,
    ]),
  });
}
