// Takes off a Node what a takeover that came to nothing had put on it.

import { outOfServiceTaint, takeoverTaint, withoutTaints } from '../marks/taints.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import type { TakeoverCluster } from './cluster.ts';
import type { TakeoverRecord } from './record.ts';

/** Returns false when somebody else changed the Node meanwhile. */
export async function takeMarksOff(
  cluster: Pick<TakeoverCluster, 'readNode' | 'clearTaints'>,
  term: LeaderTerm,
  record: TakeoverRecord,
): Promise<boolean> {
  const { id, outOfService } = record;
  const { name, uid } = record.node;
  const node = await cluster.readNode(term, name);
  if (node === undefined || node.object.metadata.uid !== uid) return true;
  const taints = node.object.spec?.taints ?? [];
  // The answer to the write that put it on may have been lost, and the write not.
  const ours = outOfService === true ? [takeoverTaint(id), outOfServiceTaint] : [takeoverTaint(id)];
  const remaining = withoutTaints(taints, ours);
  if (remaining.length === taints.length) return true;
  return (await cluster.clearTaints(term, node, remaining)) !== 'conflict';
}
