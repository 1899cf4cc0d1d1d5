// What a drain says to people: its plan as a table, each pod's news as a line, its ends as advice.
import type { Drained, MaintenanceError, PlannedPod, PodState } from '@liberator/core';
import { formatDuration } from '../text/duration.ts';
import { printable, table } from '../text/table.ts';

export function podName({ namespace, name }: PlannedPod): string {
  return `${namespace}/${name}`;
}

/** `3 pods` */
export function counted(count: number): string {
  return `${count === 0 ? 'no' : count} ${count === 1 ? 'pod' : 'pods'}`;
}

/** One line, at most `columns` wide. */
export function clip(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

/** The plan as a table, one pod a line, no wider than `columns` where there are any. */
export function planTable(pods: readonly PlannedPod[], columns: number | undefined): readonly string[] {
  const rows = pods.map((pod) => [podName(pod), pod.action, pod.reason]);
  return table([['POD', 'ACTION', 'WHY'], ...rows], columns);
}

/** How a drain ended that came to its end. */
export function drainedLines(node: string, { moved, skipped, returned, holdMs }: Drained): readonly string[] {
  const stay = skipped.length === 1 ? 'stays, as it belongs' : 'stay, as they belong';
  const others = skipped.length === 0 ? '' : `, ${counted(skipped.length)} ${stay} to it`;
  return [
    `${node} is drained: ${counted(moved.length)} moved${others}`,
    ...returned.map((pod) => `${podName(pod)} came back: it tolerates cordoned nodes`),
    `takeovers of it stay held for ${formatDuration(holdMs)}, or until "liberator uncordon ${node}"`,
  ];
}

/** What to type after a drain that was stopped: to go on with it, or to give the node back. */
export interface WaysOn {
  readonly again: string;
  readonly back: string;
}

/** What stopped the drain, where it stands, and how to go on: one line each. */
export function failureLines(
  node: string,
  { again, back }: WaysOn,
  error: MaintenanceError,
  heldMs: number,
): string {
  const lines = [error.message];
  for (const state of error.pods) lines.push(`  ${podName(state.pod)}: ${standing(state)}`);
  if (error.code === 'LIBERATOR_UNCORDONED' || !error.cordoned) return lines.join('\n');
  lines.push(
    `${node} stays cordoned, and takeovers of it stay held for up to ${formatDuration(heldMs)}`,
    `to go on:        ${again}`,
    `to give it back: ${back}`,
  );
  return lines.join('\n');
}

function standing({ phase, detail }: PodState): string {
  return printable(phase === 'waiting' || phase === 'refused' ? detail : `${phase}, ${detail}`);
}
