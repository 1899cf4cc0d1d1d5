// What the takeovers of one node left behind on it, and by which of them its return is judged. Pure.
import type { Node, Taint } from '../kubernetes/objects.ts';
import { hasTaint, outOfServiceTaint, quarantineTaint, takeoverTaint } from '../marks/taints.ts';
import type { StoredRecord } from './cluster.ts';
import { occupiesNode, type TakeoverRecord, tookNothing } from './record.ts';

/** The past of one node. Made by {@link pastOf}. */
export interface NodePast {
  /** A takeover is at work on it, so nobody takes it in. */
  readonly busy: boolean;
  /**
   * Takeovers that let go of something and from which the node has not returned yet, in the order in which they were
   * opened. Its return is judged by the last one, which knows its latest boot; when that lets it in, all of them are over.
   */
  readonly open: readonly StoredRecord[];
  /** Takeovers that came to nothing. They hide none of the others, and what they left on the node is to go. */
  readonly nothing: readonly StoredRecord[];
}

/** @param records - All of one node, in the order in which they were opened. */
export function pastOf(records: readonly StoredRecord[]): NodePast {
  const over = records.filter(({ record }) => !occupiesNode(record));
  const meant = over.filter(({ record }) => !tookNothing(record));
  const returned = meant.findLastIndex(({ record }) => record.return?.welcomed === true);
  return {
    busy: over.length < records.length,
    open: meant.slice(returned + 1),
    nothing: over.filter(({ record }) => tookNothing(record)),
  };
}

/** The takeover by which the return of the node is judged; undefined when nothing is left to be done about it. */
export function judgeOf({ open }: Pick<NodePast, 'open'>): StoredRecord | undefined {
  return open.at(-1);
}

/** The taints of ours on a node that these takeovers put on it. */
export function marksOf(records: readonly TakeoverRecord[], node: Node): readonly Taint[] {
  const taints = node.spec?.taints;
  const named = records.flatMap(({ id }) => [takeoverTaint(id), quarantineTaint(id)]);
  const unnamed = records.some((record) => ownsOutOfService(record, node)) ? [outOfServiceTaint] : [];
  return [...named, ...unnamed].filter((taint) => hasTaint(taints, taint));
}

/** Whether an out-of-service taint on the node would be this takeover's. */
export function ownsOutOfService(record: TakeoverRecord, node: Node): boolean {
  if (node.metadata.uid !== record.node.uid) return false;
  if (record.outOfService !== undefined) return record.outOfService;
  // Older versions noted nothing: then the company of a mark that is ours for certain has to do.
  return !tookNothing(record) && hasTaint(node.spec?.taints, takeoverTaint(record.id));
}
