// What the cluster looked like at the end of a demo that failed: where a person would look first.
import { takeoverSteps } from '@liberator/core';
import { takeoverOf } from '../observing/conditions.ts';
import { first, latest } from '../observing/journal.ts';
import type { DatabasePod, Entry } from '../observing/observation.ts';

/** One sentence each. */
export function lastSights(entries: readonly Entry[], podName: string): readonly string[] {
  const node = first(entries, 'crashed')?.node;
  const pod = latest(entries, 'pod')?.pod;
  return [
    ...(node === undefined ? ['no node was crashed yet'] : sightsOfNode(entries, node)),
    pod === undefined ? `there was no ${podName}` : describePod(pod, podName),
    ...entries
      .flatMap((entry) => (entry.kind === 'trouble' ? [`${entry.agent} said: ${entry.message}`] : []))
      .slice(-2),
  ];
}

function sightsOfNode(entries: readonly Entry[], node: string): readonly string[] {
  const health = latest(entries, 'health', (entry) => entry.node === node);
  const held = latest(entries, 'held', (entry) => entry.node === node);
  const record = takeoverOf(entries);
  const open = takeoverSteps.find(
    (step) => record?.steps[step] !== undefined && record.steps[step].outcome === undefined,
  );
  const sights = [
    health === undefined
      ? `no agent saw anything wrong with ${node}`
      : `${health.agent} saw ${node} as ${health.to}: ${health.reasons.join(', ')}`,
  ];
  if (held !== undefined && record === undefined)
    sights.push(`${held.agent} held back: ${held.reasons.join('; ')}`);
  if (open !== undefined)
    sights.push(`the takeover was at ${open}: ${record?.steps[open]?.detail ?? 'just begun'}`);
  if (record?.result !== undefined) sights.push(`the takeover ended as ${record.result}`);
  return sights;
}

function describePod({ node, ready, terminating }: DatabasePod, podName: string): string {
  const where = node === undefined ? 'on no node' : `on ${node}`;
  return `${podName} was ${where}, ${terminating ? 'Terminating' : ready ? 'Ready' : 'not Ready'}`;
}
