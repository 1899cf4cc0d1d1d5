// Which deaths count towards the budget at a moment, by what is on record and by what really is the case.
import type { TakeoverRecord } from '@liberator/core';
import type { World } from './world.ts';

/** The default `window` of a budget. */
const windowMs = 15 * 60_000;

/**
 * How much of the window is left out on either side: when a death began is told by different people with up to this much
 * between them.
 */
const edgeMs = 90_000;

/**
 * Nodes that died without proof and for certain still count: taken over within the window, whether that is finished or
 * not and whether their Node is there or not, and not heard of since. A takeover that was undone is the word of the one
 * who decides that its node is back.
 */
export function nodesThatCount(world: World): ReadonlySet<string> {
  const now = world.clock.now();
  const counting = world.truth.records.filter((record) => {
    const openedAt = world.truth.openedAt(record.id);
    return (
      openedAt !== undefined &&
      now - openedAt < windowMs - edgeMs &&
      (record.result === undefined || ['recovered', 'incomplete'].includes(record.result)) &&
      record.undoing === undefined &&
      record.return === undefined &&
      !isProven(record) &&
      !world.truth.heardSince(record.node.name, openedAt)
    );
  });
  return new Set(counting.map(({ node }) => node.name));
}

/** Whether a device or a human vouched for the death. */
export function isProven({ proof, evidence }: TakeoverRecord): boolean {
  return evidence === 'proven' || (proof !== undefined && proof !== 'none');
}

/** How many may be dead at once. */
export function allowedDead({ scenario, truth }: World, gone: number): number {
  const { maxDead, maxDeadPercent } = scenario.policy.budget;
  return Math.max(1, Math.min(maxDead, Math.floor(((truth.mostNodes + gone) * maxDeadPercent) / 100)));
}
