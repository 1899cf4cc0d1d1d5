// Tells of a death that is not taken over: why, and what a human can do about it.
import { confirmWays } from '../marks/confirmed.ts';
import { type Decision, holdReasons } from '../policy/decision.ts';
import type { FleetNode } from '../policy/fleet-node.ts';
import { budget } from '../policy/guards/budget.ts';
import { evidence } from '../policy/guards/evidence.ts';
import type { NodeEvent } from '../takeover/cluster.ts';
import { whatHelps } from './what-helps.ts';

/** Undefined where nothing holds. */
export function heldEvent(node: FleetNode, decision: Decision): NodeEvent | undefined {
  if (decision.action !== 'hold') return undefined;
  const { name, uid } = node.node.metadata;
  const held = `not taken over: ${holdReasons(decision).join('; ')}`;
  const message = wantsProof(decision)
    ? `${held}. ${whatHelps(node, confirmWays(name, node.deathId))}`
    : held;
  return { type: 'Warning', reason: 'TakeoverHeld', message, node: { name, uid } };
}

/** Whether a human who vouches for the death would change anything: a death that is proven needs no budget. */
function wantsProof({ verdicts }: Decision): boolean {
  return verdicts.some(
    ({ guard, verdict }) => (guard === evidence.name || guard === budget.name) && verdict.outcome === 'hold',
  );
}
