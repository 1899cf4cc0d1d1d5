// Whether a fencer may do harm at this moment: by a live look at the node, every brake, and the term.
import { type FencePermit, refused } from '../fencing/fence-context.ts';
import { permitSince } from '../fencing/look-permit.ts';
import { signOfGoneHost } from './gone-host.ts';
import { readLiveNode, readNodeUnlessSeen } from './life-signs.ts';
import { policyDifferences } from './recorded-policy.ts';
import type { StepContext } from './step.ts';

/**
 * Rejects when the API server doesn't say.
 *
 * @param look - `unless-seen`: one that was made right before will do. Only where nothing follows that harms without asking
 *   for itself.
 */
export async function askPermit(
  context: StepContext,
  look: 'always' | 'unless-seen' = 'always',
): Promise<FencePermit> {
  const { term, clock } = context;
  if (term.remainingMs() <= 0) return refused('term', 'leadership ended');
  let lookedAt = (look === 'unless-seen' ? context.looks.deadNode?.at : undefined) ?? clock.now();
  let live = await (look === 'always' ? readLiveNode(context) : readNodeUnlessSeen(context));
  const up = live.state === 'gone' ? await signOfGoneHost(context) : undefined;
  if (clock.now() > lookedAt && live.state === 'gone') {
    // A host that is silent takes seconds to be so, for which the look need not hold as well.
    lookedAt = clock.now();
    live = await readLiveNode(context);
  }
  if (live.state === 'alive') {
    return refused(live.sign === 'replaced' ? 'overtaken' : 'alive', live.detail);
  }
  const remainingMs = term.remainingMs();
  if (remainingMs <= 0) return refused('term', 'leadership ended');
  // Last of all, since they are what can be asked at the very moment.
  const policy = context.policyNow();
  const differences = policy === undefined ? [] : policyDifferences(context.record.policy, policy);
  if (differences.length > 0)
    return refused('policy', `another policy counts by now: ${differences.join('; ')}`);
  const holds = [...context.holds(), ...(up === undefined ? [] : [up])];
  if (holds.length > 0) return refused('held', holds.join('; '));
  return permitSince(lookedAt, { now: clock.now(), remainingMs });
}
