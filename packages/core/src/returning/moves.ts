// What to do about a node that was taken over and is there again. Pure: a record, the node as seen and a time go in.

import { compareMachines, machineOf, saysNothing } from '../evidence/machine.ts';
import type { Node } from '../kubernetes/objects.ts';
import { confirmedReturnedAnnotation } from '../marks/confirmed.ts';
import { hasTaint, outOfServiceTaint } from '../marks/taints.ts';
import { defaultRestoredTaints, type Keepsake, missingFrom, restorable } from '../takeover/keepsake.ts';
import { marksOf, ownsOutOfService } from '../takeover/node-past.ts';
import type { TakeoverRecord } from '../takeover/record.ts';

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
  /**
   * Keys of taints that may be put back: a key as it is, `example.com/*` for all of a domain, or `*` for all that have no
   * domain. Any other taint may be a controller's, which puts it on again itself where it still holds. Default
   * {@link defaultRestoredTaints}.
   */
  readonly restoredTaints: readonly string[];
  /**
   * For how long a deleted Node's labels, annotations and taints are kept to be put back, counted in time during which a
   * leader watched. Default 604,800,000 ms, which is a week. Longer remembers machines that are away for repair; shorter
   * forgets what people may have changed their minds about.
   */
  readonly keepsakeMs: number;
}

/** A minute of being Ready, and what people had put on the Node within a week is put back. */
export const defaultReturnRules: ReturnRules = {
  dwellMs: 60_000,
  restore: true,
  restoredTaints: defaultRestoredTaints,
  keepsakeMs: 604_800_000,
};

/** The next thing to do about a node that came back. */
export type ReturnMove =
  /** Nothing to do now; ask again when something changes, or at `until`. */
  | { readonly move: 'wait'; readonly detail: string; readonly until?: number }
  /** Put back what people had put on the deleted Node. */
  | { readonly move: 'restore'; readonly missing: Keepsake }
  /** Nothing of before runs on it, so it need not let go of anything any more: let its own pods start, and no others yet. */
  | { readonly move: 'admit'; readonly detail: string }
  /** The machine never went down: what ran on it may run still. Keep new pods away and tell somebody, if that isn't done. */
  | { readonly move: 'quarantine'; readonly detail: string }
  /** Nothing of before runs on it, so its storage is given back to it, before it is trusted. */
  | { readonly move: 'give-storage-back'; readonly detail: string }
  /** Trusted again: take off what we put on. */
  | { readonly move: 'welcome'; readonly detail: string }
  /** Another machine has the name now, and owes the takeover nothing: it is over. */
  | { readonly move: 'replace'; readonly detail: string };

/**
 * The next thing to do for a node that is there again.
 *
 * @param record - The takeover by which its return is judged.
 * @param others - Takeovers before that one, from which it has not returned either.
 */
export function nextReturnMove(
  record: TakeoverRecord,
  returning: ReturningNode,
  rules: ReturnRules,
  now: number,
  others: readonly TakeoverRecord[] = [],
): ReturnMove {
  const { node, readySince } = returning;
  const registeredAnew = node.metadata.uid !== record.node.uid;
  const verdict = bootVerdict(record, node);
  if (registeredAnew && verdict === 'replaced') {
    return { move: 'replace', detail: 'another machine has its name now' };
  }
  if (registeredAnew) {
    const missing = missingOf(record, returning, rules);
    if (missing !== undefined) return { move: 'restore', missing };
  }
  const proof = proofOf(verdict, node);
  const trustedAt = readySince === undefined ? undefined : readySince + rules.dwellMs;
  const isTrusted = trustedAt !== undefined && now >= trustedAt;
  // Before it is Ready: a network plug-in that this taint keeps off may be what it waits for.
  if (proof !== undefined && !isTrusted && bearsOutOfService([record, ...others], node)) {
    return { move: 'admit', detail: proof };
  }
  if (trustedAt === undefined) return { move: 'wait', detail: 'it is not Ready' };

  if (verdict === 'same-boot') {
    // A kubelet renews its Lease before it reports its boot, beside a Ready that may be older than the death. Meanwhile
    // the marks of the takeover keep pods away. A Node that registered anew brought its boot id along, and bears no mark.
    if (!registeredAnew && !isTrusted) {
      return { move: 'wait', detail: 'it has not reported a new boot yet', until: trustedAt };
    }
    const detail = `it has not booted since it was taken over (boot ${record.node.bootId})`;
    return { move: 'quarantine', detail };
  }
  // The old Node bears the mark of what is not to be trusted; without proof of a new boot that mark stays.
  if (proof === undefined && !registeredAnew) {
    return { move: 'wait', detail: 'nothing proves that it has booted since: it reports no boot id' };
  }
  if (!isTrusted) return { move: 'wait', detail: 'it has to stay Ready for a while', until: trustedAt };
  const detail = proof ?? 'it registered anew, and reports no boot id that could prove more';
  return { move: 'welcome', detail };
}

/** A takeover that came to nothing has nothing to say about its node; a write of it that came late may have marked it. */
export function nextSweepMove(record: TakeoverRecord, node: Node): ReturnMove {
  return marksOf([record], node).length > 0
    ? { move: 'welcome', detail: 'its takeover was undone, and a write that came late had marked it again' }
    : { move: 'wait', detail: 'nothing of ours is on it' };
}

/** What of the keepsake the Node lacks, if it may be put back on it now. */
function missingOf(
  record: TakeoverRecord,
  { node, readySince }: ReturningNode,
  rules: ReturnRules,
): Keepsake | undefined {
  const { keepsake, noted, return: returned } = record;
  if (!rules.restore || keepsake === undefined) return undefined;
  if (returned?.restored === true && returned.uid === node.metadata.uid) return undefined;
  const now = machineOf(node);
  if (noted !== undefined && compareMachines(noted.machine, now) === 'another') return undefined;
  // A kubelet says who it is as it registers. One that has not said so yet may still turn out to be another's.
  const mayStillSay = noted !== undefined && !saysNothing(noted.machine) && saysNothing(now);
  if (mayStillSay && readySince === undefined) return undefined;
  return missingFrom(node, restorable(keepsake, rules.restoredTaints));
}

/** Whether something proves that nothing of before runs on this machine, which is the one that was taken over. */
export function isProvenReturn(record: TakeoverRecord, node: Node): boolean {
  const verdict = bootVerdict(record, node);
  return verdict === 'rebooted' || verdict === 'confirmed';
}

type BootVerdict = 'rebooted' | 'same-boot' | 'confirmed' | 'replaced' | 'unknown';

function bootVerdict(record: TakeoverRecord, node: Node): BootVerdict {
  if (node.metadata.annotations?.[confirmedReturnedAnnotation] === record.id) return 'confirmed';
  const before = record.node.bootId;
  const now = node.status?.nodeInfo?.bootID ?? '';
  // No two boots of any two machines share an id, so the same one is the same machine, whatever else it says of itself.
  if (before !== '' && before === now) return 'same-boot';
  if (record.noted !== undefined && compareMachines(record.noted.machine, machineOf(node)) === 'another') {
    return 'replaced';
  }
  // Hollow nodes, and some appliances, report none: that proves neither a new boot nor the old one.
  return before === '' || now === '' ? 'unknown' : 'rebooted';
}

/** What proves that nothing of before runs on it; undefined when nothing does. */
function proofOf(verdict: BootVerdict, node: Node): string | undefined {
  switch (verdict) {
    case 'rebooted':
      return `it has booted again (boot ${node.status?.nodeInfo?.bootID})`;
    case 'confirmed':
      return `vouched for by ${confirmedReturnedAnnotation}`;
    case 'replaced':
      return 'another machine speaks for it now';
    default:
      return undefined;
  }
}

function bearsOutOfService(records: readonly TakeoverRecord[], node: Node): boolean {
  if (!hasTaint(node.spec?.taints, outOfServiceTaint)) return false;
  return records.some((record) => ownsOutOfService(record, node));
}
