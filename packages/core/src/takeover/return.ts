// What to do about a node that was taken over and is there again. Pure: a record, the node as seen and a time go in.
import type { Node, Taint } from '../kubernetes/objects.ts';
import { type Keepsake, missingFrom } from './keepsake.ts';
import { type TakeoverRecord, tookNothing } from './record.ts';
import { hasTaint, outOfServiceTaint, quarantineTaint, takeoverTaint } from './taints.ts';

/** A node that came back, as the watch caches show it. */
export interface ReturningNode {
  readonly node: Node;
  /** Since when, by our own clock, it has been Ready without a break; undefined while it isn't. */
  readonly readySince: number | undefined;
}

/** How a node that was taken over is trusted again. */
export interface ReturnRules {
  /**
   * How long a node must have been Ready before it is trusted again. Default 60,000 ms. Longer protects against machines
   * that boot, work for a while and die again; shorter gives capacity back sooner.
   */
  readonly dwellMs: number;
  /** Whether labels, annotations and taints of people are put back on a Node that registered anew. Default true. */
  readonly restore: boolean;
}

/** A minute of being Ready, and what people had put on the Node is put back. */
export const defaultReturnRules: ReturnRules = { dwellMs: 60_000, restore: true };

/** A human sets this on a Node to vouch that nothing of before still runs on it; the value is the takeover's id. */
export const confirmedReturnedAnnotation = 'liberator.dev/confirmed-returned';

/** The next thing to do about a node that came back. */
export type ReturnMove =
  /** Nothing to do now; ask again when something changes, or at `until`. */
  | { readonly move: 'wait'; readonly detail: string; readonly until?: number }
  /** Put back what people had put on the deleted Node. */
  | { readonly move: 'restore'; readonly missing: Keepsake }
  /** The machine never went down: what ran on it may run still. Keep new pods away and tell somebody, if that isn't done. */
  | { readonly move: 'quarantine'; readonly detail: string }
  /** Trusted again: take off what we put on. */
  | { readonly move: 'welcome'; readonly detail: string };

/** The next thing to do for a finished takeover whose node is there again. */
export function nextReturnMove(
  record: TakeoverRecord,
  returning: ReturningNode,
  rules: ReturnRules,
  now: number,
): ReturnMove {
  const { node, readySince } = returning;
  if (tookNothing(record)) {
    return marksOf(record, node).length > 0
      ? { move: 'welcome', detail: 'its takeover was undone, and a write that came late had marked it again' }
      : { move: 'wait', detail: 'nothing of ours is on it' };
  }
  const registeredAnew = node.metadata.uid !== record.node.uid;
  const restored = record.return?.restored === true && record.return.uid === node.metadata.uid;
  if (registeredAnew && rules.restore && record.keepsake !== undefined && !restored) {
    const missing = missingFrom(node, record.keepsake);
    if (missing !== undefined) return { move: 'restore', missing };
  }
  if (readySince === undefined) return { move: 'wait', detail: 'it is not Ready' };

  const verdict = bootVerdict(record, node);
  const trustedAt = readySince + rules.dwellMs;
  if (verdict === 'same-boot') {
    // A kubelet renews its Lease before it reports its boot, beside a Ready that may be older than the death. Meanwhile
    // the marks of the takeover keep pods away. A Node that registered anew brought its boot id along, and bears no mark.
    if (!registeredAnew && now < trustedAt) {
      return { move: 'wait', detail: 'it has not reported a new boot yet', until: trustedAt };
    }
    const detail = `it has not booted since it was taken over (boot ${record.node.bootId})`;
    return { move: 'quarantine', detail };
  }
  // The old Node bears the mark of what is not to be trusted; without proof of a new boot that mark stays.
  if (verdict === 'unknown' && !registeredAnew) {
    return { move: 'wait', detail: 'nothing proves that it has booted since: it reports no boot id' };
  }
  if (now < trustedAt) return { move: 'wait', detail: 'it has to stay Ready for a while', until: trustedAt };
  return {
    move: 'welcome',
    detail: {
      rebooted: `it has booted again (boot ${node.status?.nodeInfo?.bootID})`,
      confirmed: `vouched for by ${confirmedReturnedAnnotation}`,
      unknown: 'it registered anew, and reports no boot id that could prove more',
    }[verdict],
  };
}

/** Our marks on a node: what a welcome takes off. */
export function marksOf(record: TakeoverRecord, node: Node): readonly Taint[] {
  const ours = [takeoverTaint(record.id), quarantineTaint(record.id)];
  // The out-of-service taint is Kubernetes' word, so it is ours only beside a mark that is ours for certain, and never
  // after a takeover that was undone: that had not released anything.
  const marked =
    !tookNothing(record) &&
    node.metadata.uid === record.node.uid &&
    hasTaint(node.spec?.taints, takeoverTaint(record.id));
  return (marked ? [...ours, outOfServiceTaint] : ours).filter((taint) => hasTaint(node.spec?.taints, taint));
}

function bootVerdict(record: TakeoverRecord, node: Node): 'rebooted' | 'same-boot' | 'confirmed' | 'unknown' {
  if (node.metadata.annotations?.[confirmedReturnedAnnotation] === record.id) return 'confirmed';
  const before = record.node.bootId;
  const now = node.status?.nodeInfo?.bootID ?? '';
  // Hollow nodes, and some appliances, report none: that proves neither a new boot nor the old one.
  if (before === '' || now === '') return 'unknown';
  return before === now ? 'same-boot' : 'rebooted';
}
