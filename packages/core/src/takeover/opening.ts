// The record with which a takeover begins: everything in it is known before anything is done.
import { type NotedNode, notedOf } from '../evidence/noted-node.ts';
import type { Decision } from '../policy/decision.ts';
import type { FleetNode } from '../policy/fleet-node.ts';
import type { TakeoverOrder, TakeoverRecord } from './record.ts';
import { recordedPolicyOf } from './recorded-policy.ts';

/** What does not follow from the node and the decision. */
export interface Opening {
  readonly id: string;
  readonly order: TakeoverOrder;
  readonly epoch: number;
  /** ISO 8601, for people. */
  readonly openedAt: string;
  /** How storage knows the node. Absent: nobody has to know. */
  readonly storage?: NotedNode['storage'];
}

/** @throws TypeError for a node that no policy selects: nobody decides about that. */
export function openingRecord(
  { node, policy, assessment, deathId, state }: FleetNode,
  { verdicts }: Decision,
  { id, order, epoch, openedAt, storage }: Opening,
): TakeoverRecord {
  if (policy === undefined || assessment === undefined)
    throw new TypeError('a node without policy was decided on');
  const { name, uid } = node.metadata;
  return {
    version: 1,
    id,
    deathId,
    node: { name, uid, bootId: node.status?.nodeInfo?.bootID ?? '' },
    noted: { ...notedOf(node), ...(storage !== undefined && { storage }) },
    order,
    lastHeartbeat: state.renewTime ?? '',
    epoch,
    openedAt,
    evidence: assessment.evidence,
    // Nobody else is taken over while its host is up.
    ...(assessment.hostUp &&
      assessment.hungSince !== undefined &&
      assessment.evidence !== 'proven' && { hung: true as const }),
    reasons: assessment.reasons,
    verdicts,
    policy: recordedPolicyOf(policy),
    pods: [],
    steps: {},
  };
}
